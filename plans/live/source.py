"""A source: what a feed reads of its subject, and how it becomes frames."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils import translation

from plans import conf
from plans.live.frame import Frame
from plans.models import Event
from plans.rendering.regions import Region, event_items

_AGE = re.compile(r'<span class="ago">[^<]*</span>')
"""What every page keeps fresh by itself: no news when it is all that differs."""
_ID = re.compile(r'\sid="?([^"\s>]+)')


@dataclass(frozen=True)
class Changed:
    """What may look different since some cursor.

    `ids` are of what has a row or a cell, `events` the newest ones of the subject, `refresh` the
    elements that a page must fetch again. `everything`: nobody knows what changed since then.
    """

    ids: frozenset[Any] = frozenset()
    events: Sequence[Event] = ()
    refresh: frozenset[str] = frozenset()
    everything: bool = False

    def __or__(self, other: Self) -> Self:
        return type(self)(
            self.ids | other.ids,
            # Both end now; the longer one covers the other.
            max(self.events, other.events, key=len),
            self.refresh | other.refresh,
            self.everything or other.everything,
        )


@dataclass(frozen=True)
class Reading:
    """What a round of a feed found.

    `news` is for viewers who stood at the feed's cursor, `difference` for the others.
    """

    cursor: str
    news: Frame = field(default_factory=Frame)
    difference: Frame = field(default_factory=Frame)
    has_rendered: bool = False


class Source(ABC):
    """Reads one subject; every method runs in a thread, one at a time."""

    group: str
    """The channel-layer group in which its doorbells are heard."""
    row_prefix = ""
    """What comes before the id in a row's element id; a subject without it has no rows."""
    tables: Sequence[str] = ()
    """Ids of the elements that a page fetches again when it cannot be told what changed."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._told: dict[str, int] = {}
        self._shown: frozenset[str] | None = None
        self.any_late = False
        """Whether this reading is also for viewers of whom nobody knows what they saw last."""

    # --- What differs by subject ----------------------------------------------------------

    @abstractmethod
    def look(self) -> str:
        """The cursor as of now, cheaply; what is read afterwards is at least that new."""

    @abstractmethod
    def age_order(self, cursor: str) -> int:
        """Grows with time; raises ValueError when `cursor` is none of this subject."""

    @abstractmethod
    def changed_since(self, cursor: str) -> Changed:
        """What changed after `cursor` up to the last look, or everything."""

    def everything(self) -> Changed:
        """For a page that is too far behind for a difference."""
        return Changed(refresh=frozenset(self.tables), everything=True)

    def restless(self) -> Collection[Any]:
        """Ids of what may change without an event, because work is being done on it."""
        return ()

    def regions(self) -> Iterable[Region]:
        return ()

    def cells(self, ids: Collection[Any] | None) -> Iterable[Sequence[str]]:
        """The cells of `ids`, or all."""
        return ()

    def rows(self, ids: Collection[Any]) -> Iterable[Region]:
        return ()

    # --- What is the same for all ---------------------------------------------------------

    def read(
        self,
        settled: str | None,
        late: Collection[str],
        is_refresh: bool,
        shown: frozenset[str] | None = None,
    ) -> Reading:
        """Read once what viewers at the feed's cursor (`settled`) and those at `late` miss.

        `is_refresh` also reads what changes without events. Of the rows those in `shown` (element
        ids; None: all) are rendered; nothing is when there is nothing to tell.
        """
        self._shown = shown
        self.any_late = bool(late)
        cursor = self.look()
        if not late and not is_refresh and cursor == settled:
            return Reading(cursor)
        with translation.override(self._language):
            return self._read(cursor, settled, late, is_refresh or bool(late))

    def _read(
        self, cursor: str, settled: str | None, late: Collection[str], is_refresh: bool
    ) -> Reading:
        since_settled = self._since(cursor, [settled] if settled is not None else [])
        if is_refresh:
            since_settled |= Changed(frozenset(self.restless()))
        since_late = since_settled | self._since(cursor, late)
        # One reading for both: what viewers were told last is then one thing for all of them.
        found = self._render(since_late)
        known = -1 if settled is None else self.age_order(settled)
        events = [
            html
            for event, html in zip(since_late.events, found.events, strict=True)
            if event.seq > known
        ]
        news = Frame(
            regions=[html for html in found.regions if self._is_news(html)],
            rows={name: html for name, html in found.rows.items() if self._is_news(html)},
            cells=[cell for cell in found.cells if self._is_news_of_cell(cell)],
            events=events,
            refresh=self._refresh(since_settled),
            whole=since_settled.everything,
        )
        return Reading(cursor, news, found, has_rendered=True)

    def _since(self, cursor: str, known: Collection[str]) -> Changed:
        """What viewers who stand at the cursors `known` miss."""
        if not known:
            return Changed()
        try:
            earliest = min(known, key=self.age_order)
            # A cursor from the future is one of another database, or of this one's lost days.
            if max(map(self.age_order, known)) > self.age_order(cursor):
                return self.everything()
        except ValueError:
            return self.everything()
        return Changed() if earliest == cursor else self.changed_since(earliest)

    def _render(self, changed: Changed) -> Frame:
        ids = None if changed.everything else changed.ids
        due = self._rows_due(changed)
        # What nobody is told of now must be told whoever shows it later.
        for row in changed.ids.difference(due or ()):
            self._told.pop(f"{self.row_prefix}{row}", None)
        return Frame(
            regions=_html(self.regions()),
            rows={_id_of(html): html for html in _html(self.rows(due))} if due else {},
            cells=list(self.cells(ids)) if ids is None or ids else [],
            events=_html(event_items(changed.events)) if changed.events else [],
            refresh=self._refresh(changed),
            whole=changed.everything,
        )

    def _refresh(self, changed: Changed) -> list[str]:
        is_too_much = self._rows_due(changed) is None
        return sorted({*changed.refresh, *(self.tables if is_too_much else ())})

    def _rows_due(self, changed: Changed) -> list[Any] | None:
        """Ids of changed rows that some page shows; None: pages do better to fetch their tables."""
        if changed.everything:
            return None
        ids = changed.ids if self.row_prefix else ()
        due = [each for each in ids if self._is_shown(f"{self.row_prefix}{each}")]
        return due if len(due) <= conf.ROWS_PER_FRAME_MAX else None

    def _is_shown(self, row: str) -> bool:
        return self._shown is None or row in self._shown

    def _is_news(self, html: str) -> bool:
        """Whether this is not what viewers at the feed's cursor were last told."""
        return self._tell(_id_of(html), hash(_AGE.sub("", html)))

    def _is_news_of_cell(self, cell: Sequence[str]) -> bool:
        return self._tell(cell[0], hash(tuple(cell)))

    def _tell(self, element_id: str, content: int) -> bool:
        is_new = self._told.get(element_id) != content
        self._told[element_id] = content
        return is_new


def _id_of(html: str) -> str:
    found = _ID.search(html)
    return found[1] if found else ""


def _html(regions: Iterable[Region]) -> list[str]:
    return [region.html() for region in regions]
