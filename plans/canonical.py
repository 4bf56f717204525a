"""Values in the one form that every database gives back as it took them.

The hash of an event is made before the event is stored and made again after it is read, so what
is hashed must survive the journey. PostgreSQL's jsonb keeps no NUL, no half of a surrogate pair,
no minus zero and no exponent; JSON itself has text keys only, and no infinity.
"""

import json
from decimal import Decimal
from math import isfinite
from typing import Any

EXPONENT_FROM = 1e16
"""From here on Python writes a whole float with an exponent, which comes back as an integer."""


def storable_text(text: str) -> str:
    """`text` with what no database can hold written out, as `\\x00`."""
    if "\x00" not in text and text.isascii():
        return text
    written_out = text.encode("utf-8", "backslashreplace").decode()
    return written_out.replace("\x00", "\\x00")


def storable(value: Any) -> Any:
    """The JSON value `value` such that both databases return it equal, and of equal types."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(_key(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value


def dumps(value: Any) -> str:
    """The one JSON text of a storable value. Raises `TypeError` for what is no JSON value."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def _key(key: Any) -> str:
    # JSON's own names: true, null, 1; a text enumeration is its value.
    return str(key) if isinstance(key, str) else json.dumps(key)


def _number(value: float) -> float | int | str:
    if not isfinite(value):
        return str(value)
    if abs(value) >= EXPONENT_FROM:
        return int(Decimal(repr(value)))
    return value or 0.0
