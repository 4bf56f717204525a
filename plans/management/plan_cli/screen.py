"""What the command prints: results on standard output, refusals on standard error."""

import json
from dataclasses import dataclass
from typing import Any, TextIO, cast

from django.core.management.base import OutputWrapper

from plans.errors import RefusedError, ValidationFailed
from plans.validation import Issue


@dataclass
class Screen:
    """The two outputs. With `is_json` standard output holds one JSON value and nothing else."""

    out: OutputWrapper
    err: OutputWrapper
    is_json: bool = False

    @property
    def talk(self) -> OutputWrapper:
        """Where it is told what goes on."""
        return self.err if self.is_json else self.out

    @property
    def terminal(self) -> TextIO:
        """The same, without Django's wrapper, which would end each write with a new line."""
        return cast(TextIO, self.talk._out)

    def say(self, text: str) -> None:
        self.talk.write(printable(text))

    def warn(self, text: str) -> None:
        self.err.write(printable(text))

    def json(self, value: Any) -> None:
        self.out.write(json.dumps(value, indent=2))

    def refuse(self, refused: RefusedError) -> None:
        """The refusal with all that is to be mended."""
        self.warn(str(refused.message))
        if isinstance(refused, ValidationFailed):
            self.issues(refused.summary.issues)
        if self.is_json:
            error = {"code": refused.code, "message": str(refused.message)}
            self.json({"error": {**error, "details": refused.details}})

    def issues(self, issues: list[Issue]) -> None:
        """One line for each finding of the validation chain."""
        for issue in issues:
            where = f"{issue.tenant_id} " if issue.tenant_id else ""
            self.warn(
                f"  {issue.severity.value}: {where}{issue.message} [{issue.code}, {issue.field}]"
            )


def printable(text: str) -> str:
    """`text` without what would steer the terminal: a plan's name may hold anything."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )
