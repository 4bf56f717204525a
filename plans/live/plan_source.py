"""What changes on a plan's page."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import QuerySet

from plans import conf
from plans.live.source import Changed, Source
from plans.models import ACTIVE_STATES, Event, Plan, Task
from plans.queries import wall
from plans.rendering import cells, regions
from plans.rendering.cursors import plan_cursor
from plans.rendering.regions import Region
from plans.stores import doorbell


class PlanSource(Source):
    """One plan; the cursor is the last seq of its journal."""

    tables = ("task-table", "wall")
    row_prefix = "task-"

    def __init__(self, plan: Plan, language: str) -> None:
        super().__init__(language)
        self._plan = plan
        self._seq = 0
        self._elsewhere: dict[int, str] = {}
        self.group = doorbell.group_of(plan.pk)

    def __str__(self) -> str:
        return f"plan {self._plan.pk}"

    def look(self) -> str:
        cursor = plan_cursor(self._plan)
        self._seq = int(cursor)
        return cursor

    def age_order(self, cursor: str) -> int:
        return int(cursor)

    def changed_since(self, cursor: str) -> Changed:
        since = int(cursor)
        if self._seq - since > conf.EVENTS_PER_FRAME_MAX:
            return self.everything()
        events = Event.objects.filter(
            journal_id=self._plan.journal_id, seq__gt=since, seq__lte=self._seq
        )
        ids = set(events.values_list("task_id", flat=True))
        # What a task waits for may be the plan's doing: its row changes with no event of its own.
        is_for_all = None in ids
        return Changed(
            frozenset(ids - {None}),
            self._newest(events),
            frozenset(self.tables) if is_for_all else frozenset(),
        )

    def everything(self) -> Changed:
        events = Event.objects.filter(journal_id=self._plan.journal_id, seq__lte=self._seq)
        return super().everything() | Changed(events=self._newest(events))

    def restless(self) -> Collection[int]:
        active = Task.objects.filter(plan=self._plan, state__in=ACTIVE_STATES)
        return [*active.values_list("pk", flat=True), *self._moved_elsewhere()]

    def regions(self) -> Iterable[Region]:
        # Another object: what it remembers of its relations is of an earlier moment.
        self._plan = Plan.objects.select_related("journal").get(pk=self._plan.pk)
        return [*regions.plan_regions(self._plan), regions.stop_banner()]

    def cells(self, ids: Collection[int] | None) -> Iterable[Sequence[str]]:
        return cells.plan_cells(self._plan, None if ids is None else list(ids))

    def rows(self, ids: Collection[int]) -> Iterable[Region]:
        return regions.task_rows(self._plan, list(ids))

    def _moved_elsewhere(self) -> Collection[int]:
        """Tasks whose tenants others have moved since the last look.

        A viewer who joins may have looked at any time: for those, since they were planned.
        """
        before, self._elsewhere = self._elsewhere, wall.moved_elsewhere(self._plan)
        if self.any_late:
            return list(self._elsewhere)
        return [pk for pk, where in self._elsewhere.items() if before.get(pk) != where]

    def _newest(self, events: QuerySet[Event]) -> list[Event]:
        return list(events.order_by("-seq")[: conf.FEED_EVENTS])
