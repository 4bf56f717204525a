"""The heads of journals as a file, to be kept where who runs the database cannot write.

`{"format": "bluegreen audit heads", "exported_at": time, "journals": [{"journal": "plan:7",
"seq": 42, "hash": 64 hexadecimal digits, "at": time of that event}, …]}`; times are ISO 8601 with
their zone. A journal only grows, so what was its head once stays a part of it for ever.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext_noop as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from plans.faults import message_of
from plans.message import Message

WHERE_CHARS = 80


class Unreadable(Exception):
    """A file is no export of heads; `message` says what is wrong with it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message.english)


class Head(BaseModel):
    """Where a journal ended; `at` is None as long as it had no event."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    journal: str
    seq: int = Field(ge=0)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    at: AwareDatetime | None


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["bluegreen audit heads"]
    exported_at: AwareDatetime
    journals: list[Head]


def dumps(heads: Iterable[Head], exported_at: datetime) -> str:
    """The text of an export."""
    file = _File(format="bluegreen audit heads", exported_at=exported_at, journals=list(heads))
    return file.model_dump_json(indent=1) + "\n"


def loads(text: bytes) -> dict[str, Head]:
    """Each journal's head in an export, by the journal's name. Raises `Unreadable`."""
    try:
        file = _File.model_validate_json(text)
    except ValidationError as wrong:
        fault = wrong.errors()[0]
        where = ascii(".".join(map(str, fault["loc"]))[:WHERE_CHARS]).strip("'")
        problem = Message("%(where)s: %(what)s", {"where": where, "what": message_of(fault)})
        if fault["type"] == "json_invalid":
            problem = Message(_("It is not JSON."))
        raise Unreadable(problem) from None
    times = Counter(head.journal for head in file.journals)
    for journal, count in times.items():
        if count > 1:
            raise Unreadable(
                Message(_("It names the journal %(journal)s twice."), {"journal": ascii(journal)})
            )
    return {head.journal: head for head in file.journals}
