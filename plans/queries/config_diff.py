"""What a task changes of its tenant's configuration: line by line, without its secrets."""

import difflib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from plans.models import Task
from plans.queries.masking import without_secrets

CONTEXT_LINES = 3
LINES_MAX = 1000
"""Lines of either side that are compared; nobody reads more on a page."""


@dataclass(frozen=True)
class DiffLine:
    """One line; `kind` is `added`, `removed`, `same` or `gap` (lines in between are left out)."""

    kind: str
    text: str

    @property
    def sign(self) -> str:
        return {"added": "+", "removed": "−", "gap": "⋯"}.get(self.kind, " ")


@dataclass(frozen=True)
class ConfigDiff:
    """From the recorded previous state to the target.

    `keeps`: the target names no configuration of its own, so the previous one stays, under a new
    version. `hidden` lines are not compared.
    """

    is_read: bool
    keeps: bool
    lines: list[DiffLine]
    hidden: int = 0

    @property
    def is_changed(self) -> bool:
        return any(line.kind in ("added", "removed") for line in self.lines)


def config_diff(task: Task) -> ConfigDiff:
    """The difference that `task` makes, or would make as far as is known now."""
    previous = (task.previous or {}).get("payload")
    target = task.target.get("payload")
    keeps = target is None
    before, after = _lines(previous), _lines(previous if keeps else target, previous)
    longest = max(len(before), len(after))
    lines = lines_between(tuple(before[:LINES_MAX]), tuple(after[:LINES_MAX]))
    return ConfigDiff(task.previous is not None, keeps, lines, max(0, longest - LINES_MAX))


@lru_cache(maxsize=64)
def lines_between(before: tuple[str, ...], after: tuple[str, ...]) -> list[DiffLine]:
    """The difference, with some equal lines around each change. An open page asks often."""
    compared = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: list[DiffLine] = []
    for number, group in enumerate(compared.get_grouped_opcodes(CONTEXT_LINES)):
        if number or group[0][1]:
            found.append(DiffLine("gap", ""))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                found += [DiffLine("same", line) for line in before[old_from:old_to]]
                continue
            found += [DiffLine("removed", line) for line in before[old_from:old_to]]
            found += [DiffLine("added", line) for line in after[new_from:new_to]]
    return found


def _lines(value: Any, before: Any = None) -> list[str]:
    if value in (None, "", {}):
        return []
    shown = without_secrets(value, before)
    if not isinstance(shown, str):
        shown = json.dumps(shown, ensure_ascii=False, indent=2, sort_keys=True)
    return shown.splitlines()
