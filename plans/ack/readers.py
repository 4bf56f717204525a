"""The actual version: how it is read from an instance's answer.

A reader is a function from the answer to the text that stands for the version; it raises
`Unreadable` when there is none.
"""

import re
import time
from collections.abc import Callable

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, ConfigDict, Field, field_validator

from plans.ack.json_path import Path, text_at
from plans.ack.unreadable import Unreadable
from plans.clients.http import Reply
from plans.faults import Invalid

PATTERN_MAX_CHARS = 200
SEARCHED_MAX_CHARS = 4096
MATCH_MAX_CHARS = 256
REPETITIONS_MAX = 3
CHOICES_MAX = 6
SEARCH_SECONDS = 0.25

Reader = Callable[[Reply], str]


class JsonPath(BaseModel):
    """The string or whole number at a place of a JSON answer: `JsonPath(json_path="$.version")`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    json_path: Path

    def __call__(self, reply: Reply) -> str:
        return text_at(reply.content, self.json_path)


class Pattern(BaseModel):
    """What a regular expression finds first: its first group, or all of it without one.

    Only the first 4,096 characters are searched, for at most a quarter of a second, and what is
    found has at most 256. No group may be repeated, and there are few repetitions and choices:
    matching holds up the whole process, so what could take for ever is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = Field(max_length=PATTERN_MAX_CHARS)

    @field_validator("pattern")
    @classmethod
    def _is_quick(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise _not_this(str(error)) from None
        # Without escaped characters and sets, what is left of quantifiers is meant as such.
        bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
        if re.search(r"\(\?(?:#|[a-zA-Z]*x)", re.sub(r"\\.", "x", pattern, flags=re.DOTALL)):
            raise _not_this("comments are not possible, because they could hide anything")
        if re.search(r"\)[*+{]", bare):
            raise Invalid(_("No group may be repeated."))
        if len(re.findall(r"[*+]|\{\d*,\d*\}", bare)) > REPETITIONS_MAX:
            raise Invalid(_("At most %(limit)s repetitions are possible."), limit=REPETITIONS_MAX)
        # A question mark after a repetition or a bracket chooses nothing.
        if len(re.findall(r"\||(?<![*+?(])\?", bare)) > CHOICES_MAX:
            raise _not_this(f"it has more than {CHOICES_MAX} choices (| and ?)")
        return pattern

    def __call__(self, reply: Reply) -> str:
        text = reply.content[: 4 * SEARCHED_MAX_CHARS].decode(errors="replace")
        found = _search(re.compile(self.pattern), text[:SEARCHED_MAX_CHARS])
        version = found and found[1 if found.re.groups else 0]
        if not version:
            raise Unreadable(_("the pattern finds nothing in it"))
        return version


def _search(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """As `pattern.search(text)`, place by place, so that other threads have their turn."""
    deadline = time.monotonic() + SEARCH_SECONDS
    for start in range(len(text) + 1):
        end = min(start + MATCH_MAX_CHARS, len(text))
        found = pattern.match(text, start, end)
        # What goes up to where it was cut off may be longer in truth.
        if found and (found.end() < end or end == len(text)):
            return found
        if time.monotonic() > deadline:
            break  # It would hold up the whole process.
    return None


def _not_this(error: str) -> Invalid:
    return Invalid(_("It is no regular expression: %(error)s."), error=error)


class Header(BaseModel):
    """A header of the answer, in whatever case: `Header(header="X-Config-Version")`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str = Field(pattern=r"^[A-Za-z0-9-]{1,100}$")

    def __call__(self, reply: Reply) -> str:
        version = reply.headers.get(self.header, "").strip()
        if not version:
            raise Unreadable(_("it has no header %(name)s"), name=self.header)
        return str(version)
