"""The part of JSONPath (RFC 9535) that names one place: `$`, `.name`, `['name']` and `[0]`."""

import json
import re
from functools import lru_cache
from typing import Annotated, Any

from django.utils.translation import gettext_noop as _
from pydantic import AfterValidator

from plans.ack.unreadable import Unreadable
from plans.faults import Invalid

PATH_MAX_CHARS = 200
_STEP = re.compile(
    r"""\.(?P<name>[^\W\d][\w-]*)
      | \[(?P<index>0|[1-9][0-9]{0,8})\]
      | \['(?P<single>[^']*)'\]
      | \["(?P<double>[^"]*)"\]""",
    re.VERBOSE,
)


@lru_cache(maxsize=256)
def steps_of(path: str) -> tuple[str | int, ...]:
    """The names and indexes that `path` goes along. Raises ValueError for what is no such path."""
    if not path.startswith("$") or len(path) > PATH_MAX_CHARS:
        raise Invalid(
            _("A path begins with $ and has at most %(limit)s characters."), limit=PATH_MAX_CHARS
        )
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise Invalid(
                _("The path cannot be read from “%(rest)s” on: write $.name[0]."), rest=path[at:]
            )
        kind = str(step.lastgroup)
        steps.append(int(step[kind]) if kind == "index" else step[kind])
        at = step.end()
    return tuple(steps)


def _checked(path: str) -> str:
    steps_of(path)
    return path


Path = Annotated[str, AfterValidator(_checked)]
"""A path, for pydantic."""


def text_at(content: str | bytes, path: str) -> str:
    """The string, or the whole number as its digits, at `path` of a JSON text.

    Raises Unreadable when there is none.
    """
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable(_("it is not JSON")) from None
    for step in steps_of(path):
        fits = isinstance(value, dict if isinstance(step, str) else list)
        try:
            value = value[step] if fits else None
        except (KeyError, IndexError):
            value = None
    return value if isinstance(value, str) else _digits(value, path)


def _digits(value: Any, path: str) -> str:
    if value is None:
        raise Unreadable(_("it has no %(path)s"), path=path)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(_("%(path)s is neither a string nor a whole number"), path=path)
    try:
        return str(value)
    except ValueError:  # Python writes no number of more than 4,300 digits.
        raise Unreadable(_("%(path)s is too long a number"), path=path) from None
