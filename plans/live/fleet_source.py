"""What changes on pages that show all plans or all tenants."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q

from plans import conf
from plans.live.source import Changed, Source
from plans.models import ACTIVE_STATES, MOVING_PLAN_STATES, Event, Plan, Task
from plans.queries import tenants
from plans.rendering import cells, regions
from plans.rendering.cursors import FleetCursor, FleetHead
from plans.rendering.overview_page import overview_regions
from plans.rendering.regions import Region
from plans.stores.doorbell import FLEET

READ_LATELY_SECONDS = 30.0


class FleetSource(Source):
    """Everything that has a journal; see `FleetCursor` for the cursor."""

    group = FLEET

    def __init__(self, language: str) -> None:
        super().__init__(language)
        self._head = FleetHead({}, 0, "")

    def look(self) -> str:
        self._head = FleetHead.read()
        return self._head.cursor

    def age_order(self, cursor: str) -> int:
        return FleetCursor.parse(cursor).total

    def moved_since(self, cursor: str) -> dict[int, int] | None:
        """The journals that moved and their seqs then; None where that is unknown or too much."""
        before = FleetCursor.parse(cursor)
        if sum(self._head.seqs.values()) - before.total > conf.EVENTS_PER_FRAME_MAX:
            return None
        return self._head.moved_since(before)


class OverviewSource(FleetSource):
    """The overview: a cell a tenant."""

    tables = ("wall",)

    def __str__(self) -> str:
        return "the overview"

    def changed_since(self, cursor: str) -> Changed:
        moved, before = self.moved_since(cursor), FleetCursor.parse(cursor)
        if moved is None or before.registry > self._head.registry:
            return self.everything()
        read = tenants.read_since(before.registry) if before.registry != self._head.registry else []
        events = Q(pk__in=[])
        for journal, seq in moved.items():
            events |= Q(journal=journal, seq__gt=seq, seq__lte=self._head.seqs[journal])
        touched = Event.objects.filter(events, task__isnull=False)
        return Changed(frozenset([*touched.values_list("tenant_id", flat=True), *read]))

    def restless(self) -> Collection[str]:
        active = Task.objects.filter(state__in=ACTIVE_STATES)
        # What was read a moment ago may be committed after something that was read later.
        just_read = tenants.read_lately(READ_LATELY_SECONDS)
        return [*active.values_list("tenant_id", flat=True), *just_read]

    def regions(self) -> Iterable[Region]:
        return [*overview_regions(), regions.stop_banner()]

    def cells(self, ids: Collection[str] | None) -> Iterable[Sequence[str]]:
        return cells.overview_cells(None if ids is None else list(ids))


class PlanListSource(FleetSource):
    """The list of plans: a row a plan."""

    tables = ("plan-table",)
    row_prefix = "plan-"

    def __str__(self) -> str:
        return "the list of plans"

    def changed_since(self, cursor: str) -> Changed:
        moved = self.moved_since(cursor)
        if moved is None:
            return self.everything()
        plans = dict(Plan.objects.filter(journal__in=moved).values_list("journal", "pk"))
        is_new = any(seq == 0 for seq in moved.values())
        return Changed(frozenset(plans.values()), refresh=frozenset(self.tables if is_new else ()))

    def restless(self) -> Collection[int]:
        moving = Plan.objects.filter(state__in=MOVING_PLAN_STATES)
        return list(moving.values_list("pk", flat=True))

    def regions(self) -> Iterable[Region]:
        return [*regions.plan_list_regions(), regions.stop_banner()]

    def rows(self, ids: Collection[int]) -> Iterable[Region]:
        return regions.plan_rows(list(ids))
