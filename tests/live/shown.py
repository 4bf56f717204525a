"""What a plan's page shows, kept by the frames alone, and what a fresh one would show."""

import re
from html.parser import HTMLParser
from typing import Any, Self

from plans import conf
from plans.models import Event, Plan, Task
from plans.rendering import cells, regions
from plans.rendering.cursors import plan_cursor

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
AGE = re.compile(r'<span class="ago">[^<]*</span>')


class _Splitter(HTMLParser):
    """Cuts HTML into its outermost elements."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[tuple[int, str]] = []
        self._depth = 0
        self._lines = [0]

    def split(self, html: str) -> dict[str, str]:
        for line in html.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self.feed(html)
        ends = [start for start, _id in self.starts[1:]] + [len(html)]
        return {
            element_id: AGE.sub("", html[start:end]).strip()
            for (start, element_id), end in zip(self.starts, ends, strict=True)
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth == 0:
            line, column = self.getpos()
            self.starts.append((self._lines[line - 1] + column, str(dict(attrs).get("id"))))
        if tag not in VOID:
            self._depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth == 0:
            self.handle_starttag(tag, attrs)
            self._depth = 0

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._depth -= 1


def split(html: str) -> dict[str, str]:
    """The outermost elements of `html` by id, without what a script keeps fresh."""
    return _Splitter().split(html) if html else {}


class ShownPlan:
    """The page of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Load it."""
        self._plan_id = plan.pk
        self.cursor = plan_cursor(plan)
        plan = Plan.objects.get(pk=plan.pk)
        shown = [*regions.plan_regions(plan), regions.stop_banner()]
        self.regions = split("".join(region.html() for region in shown))
        self.cells = {cell.id: cell for cell in cells.plan_cells(plan)}
        self.rows = self._fetch_rows()
        newest = Event.objects.filter(plan=plan).order_by("-seq")[: conf.FEED_EVENTS]
        self.events = split("".join(item.html() for item in regions.event_items(newest)))

    @classmethod
    def fresh(cls, plan: Plan) -> Self:
        return cls(plan)

    def take(self, frame: dict[str, Any]) -> None:
        """Do what live.js does with a frame."""
        self.cursor = frame["cursor"]
        self.regions |= split(frame.get("regions", ""))
        self.rows |= split(frame.get("rows", ""))
        self.cells |= {cell[0]: cells.Cell(*cell) for cell in frame.get("cells", ())}
        merged = self.events | split(frame.get("events", ""))
        newest = sorted(merged, key=_seq_of, reverse=True)[: conf.FEED_EVENTS]
        self.events = {element_id: merged[element_id] for element_id in newest}
        if "task-table" in frame.get("refresh", ()):
            self.rows = self._fetch_rows()

    def differences(self, other: Self) -> list[str]:
        """The ids of what is not the same on both."""
        return [
            key
            for mine, its in (
                (self.regions, other.regions),
                (self.cells, other.cells),
                (self.rows, other.rows),
                (self.events, other.events),
            )
            for key in {*mine, *its}
            if mine.get(key) != its.get(key)
        ]

    def _fetch_rows(self) -> dict[str, str]:
        plan = Plan.objects.get(pk=self._plan_id)
        ids = list(Task.objects.filter(plan=plan).values_list("pk", flat=True))
        return split("".join(row.html() for row in regions.task_rows(plan, ids)))


def _seq_of(element_id: str) -> int:
    return int(element_id.rsplit("-", 1)[1])
