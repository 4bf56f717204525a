"""A frame: what one message tells an open page."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone


@dataclass(frozen=True)
class Frame:
    """What changed, as HTML whose elements replace those with the same id, or as attributes.

    `rows` are by element id. `cells` are `[element id, classes, title]`, maybe with an address as
    the fourth; one without classes goes. `refresh` names the elements that a page should fetch
    again, because its own filters and sorting decide what they hold. `whole`: the page was too far
    behind for a difference.
    """

    regions: Sequence[str] = ()
    rows: Mapping[str, str] = field(default_factory=dict)
    cells: Sequence[Sequence[str]] = ()
    events: Sequence[str] = ()
    refresh: Sequence[str] = ()
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.regions or self.rows or self.cells or self.events or self.refresh)

    def encode(self, cursor: str, shown: Set[str] | None = None) -> str:
        """The message, with the rows `shown` of those there are, or with all of them.

        After it a page that shows no others knows everything up to `cursor`.
        """
        rows = [html for name, html in self.rows.items() if shown is None or name in shown]
        content: dict[str, Any] = {
            "regions": "".join(self.regions),
            "rows": "".join(rows),
            "cells": self.cells,
            "events": "".join(self.events),
            "refresh": self.refresh,
            "whole": self.whole,
        }
        return _encode(cursor, {name: value for name, value in content.items() if value})


def pulse(cursor: str) -> str:
    """The message that nothing has changed up to `cursor`, so the page is true now."""
    return _encode(cursor, {})


def _encode(cursor: str, content: dict[str, Any]) -> str:
    head = {"cursor": cursor, "at": timezone.now().isoformat(timespec="milliseconds")}
    return json.dumps(head | content, ensure_ascii=False, separators=(",", ":"))
