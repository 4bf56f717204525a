"""Read a body: JSON that is nothing but JSON, not too deep, and storable."""

import json
import math
from collections import Counter
from typing import Any, cast

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja.parser import Parser

from plans import conf
from plans.errors import MalformedRequest
from plans.validation.text import problem_of

INTEGER_MAX = 2**63 - 1
INTEGER_MAX_DIGITS = 20


class BodyParser(Parser):
    """Reads what `json.loads` reads, without its liberties."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The value in the body; raises `MalformedRequest` that says what to mend."""
        if request.content_type != "application/json":
            raise MalformedRequest(_("Send the body as JSON, with Content-Type: application/json."))
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            raise MalformedRequest(_("The body is not UTF-8: send JSON in UTF-8.")) from None
        value = _loads(text)
        _require_shallow(value)
        # Only an escape can bring in what cannot be stored.
        if "\\u" in text and (problem := problem_of(value)):
            raise MalformedRequest(
                _("The body cannot be stored: %(problem)s"), problem=problem.english
            )
        return cast(dict[str, Any], value)


def require_length(request: HttpRequest) -> None:
    """Refuse what Django could not read as a body at all."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise MalformedRequest(_("The header Content-Length is not a number."))


def _loads(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_small,
        )
    except json.JSONDecodeError as wrong:
        raise MalformedRequest(
            _("The body is not JSON: %(what)s in line %(line)s, column %(column)s."),
            what=wrong.msg,
            line=wrong.lineno,
            column=wrong.colno,
        ) from None
    except RecursionError:
        raise _too_deep() from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        [(twice, _times)] = Counter(name for name, _value in pairs).most_common(1)
        raise MalformedRequest(
            _("The body names the field %(name)s twice in one object."), name=ascii(twice[:80])
        )
    return value


def _refuse_constant(name: str) -> Any:
    raise MalformedRequest(_("%(name)s is not JSON: give a finite number."), name=name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedRequest(_("The number %(number)s is too large."), number=digits[:40])
    return number


def _small(digits: str) -> int:
    if len(digits) > INTEGER_MAX_DIGITS or not -INTEGER_MAX <= int(digits) <= INTEGER_MAX:
        raise MalformedRequest(
            _("The number %(number)s does not fit into 64 bits."), number=digits[:40]
        )
    return int(digits)


def _require_shallow(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _depth in range(conf.JSON_DEPTH_MAX):
        if not level:
            return
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    if level:
        raise _too_deep()


def _too_deep() -> MalformedRequest:
    return MalformedRequest(
        _("The body is nested more than %(limit)s levels deep."), limit=conf.JSON_DEPTH_MAX
    )
