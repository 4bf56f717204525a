"""Long lists in pieces that one statement takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

ROWS_AT_ONCE = 500
"""Keys in one IN clause, rows in one statement; older builds of SQLite take 999 variables."""

Item = TypeVar("Item")


def slices(items: Sequence[Item], size: int = ROWS_AT_ONCE) -> Iterator[Sequence[Item]]:
    """`items` in their order, `size` at a time; the last slice may be shorter, none is empty."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
