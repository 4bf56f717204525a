"""A plan as it was at one moment of its journal, told by its events alone (X4).

An event of a task says where the task stood after it, so the last few events of each task up to
the moment are enough: each is found by the index on (task, seq), whatever happened before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from plans.models import ACTIVE_STATES, Event, EventKind, Plan, PlanState, Task, TaskState
from plans.queries.condition import Condition
from plans.queries.feed import FeedItem, items_of
from plans.queries.funnel import stage_names
from plans.queries.tally import Tally, TallyRow
from plans.queries.wall import SETTLED, SWITCHING_STAGE, WallRow
from plans.slices import slices

JUST_BEFORE = 8
"""Events that are shown with a moment."""
SETTLING_STAGE = "update_status"
"""The stage after which the tenant counts as being in its new environment."""
PLACING = (
    EventKind.STAGE_STARTED,
    EventKind.STAGE_COMPLETED,
    EventKind.STAGE_SKIPPED,
    EventKind.STAGE_FAILED,
    EventKind.TASK_RETRY_STARTED,
    EventKind.TASK_ROLLING_BACK,
)
"""Kinds of events that say where in its pipeline a task stands."""
SAYING_NOTHING = (EventKind.TASK_PROGRESS, EventKind.TASK_TAKEN_OVER)
"""Kinds after which a task is about the same as before."""
CONDITIONS = {
    EventKind.TASK_STARTED: Condition.CALLED,
    EventKind.TASK_WAITING: Condition.WAITING,
    EventKind.TASK_RESUMED: Condition.QUEUED,
    EventKind.TASK_RETRY_STARTED: Condition.QUEUED,
    EventKind.TASK_PAUSE_REQUESTED: Condition.STOPPING,
    EventKind.TASK_CANCEL_REQUESTED: Condition.STOPPING,
}
"""What a running task is about after an event; after any other one it is at a worker."""


class Standing(NamedTuple):
    """One task at the moment, as its events tell; `settled` is its tenant's environment."""

    task_id: int
    wave_id: int
    tenant_id: str
    name: str
    state: str
    condition: Condition
    cursor: int
    reached: int
    environment: str


@dataclass(frozen=True)
class Moment:
    """A plan at the event `seq` of its journal; before `first` it was not yet created."""

    plan: Plan
    seq: int
    first: int
    last: int
    standings: list[Standing] = field(default_factory=list)

    @cached_property
    def event(self) -> Event | None:
        """What happened last."""
        return Event.objects.filter(journal=self.plan.journal_id, seq=self.seq).first()

    @cached_property
    def milestones(self) -> list[FeedItem]:
        """What ever happened to the plan as a whole, oldest first, also after the moment."""
        return items_of(Event.objects.filter(plan=self.plan, task__isnull=True).order_by("seq"))

    @cached_property
    def state(self) -> PlanState:
        """The plan's."""
        told = (i.event for i in self.milestones if i.event.seq <= self.seq and i.event.to_state)
        return PlanState(next(reversed([event.to_state for event in told]), PlanState.CREATED))

    @cached_property
    def just_before(self) -> list[FeedItem]:
        """The events that led to the moment, latest first."""
        events = Event.objects.filter(journal=self.plan.journal_id, seq__lte=self.seq)
        return items_of(events.order_by("-seq")[:JUST_BEFORE])

    @cached_property
    def tally(self) -> Tally:
        """How many tasks stood where."""
        counted = Counter(
            (each.wave_id, each.state, each.cursor, each.reached, _has_slot(each))
            for each in self.standings
        )
        return Tally([TallyRow(*fields, count) for fields, count in counted.items()])

    @property
    def previous(self) -> int:
        return max(self.first, self.seq - 1)

    @property
    def next(self) -> int:
        return min(self.last, self.seq + 1)

    @property
    def is_last(self) -> bool:
        return self.seq == self.last

    @property
    def seconds(self) -> float | None:
        """How long after the plan's start it is; None before."""
        started, event = self.plan.started_at, self.event
        if started is None or event is None or event.at < started:
            return None
        return (event.at - started).total_seconds()


def moment_at(plan: Plan, seq: int | None) -> Moment:
    """The moment of `plan` (with its journal) at `seq`, or the nearest one that there is.

    None is the latest. The number of statements does not grow with the plan or its events, but
    for tenants that stand half-way through their last stage.
    """
    last = plan.journal.last_seq
    # Its creation comes first: one event, and two for each task.
    first = min(last, 1 + 2 * Task.objects.filter(plan=plan).count())
    seq = last if seq is None else max(first, min(last, seq))
    return Moment(plan, seq, first, last, _standings(plan, seq))


def wall_rows(moment: Moment) -> list[WallRow]:
    """The cells of the plan's wall as they were, in the plan's order."""
    names = stage_names(moment.plan)
    switch = names.index(SWITCHING_STAGE) if SWITCHING_STAGE in names else 0
    return [
        WallRow(
            task_id=each.task_id,
            tenant_id=each.tenant_id,
            name=each.name,
            environment=each.environment,
            state=each.state,
            condition=each.condition,
            between=each.reached > switch and each.state not in SETTLED,
        )
        for each in moment.standings
    ]


def _standings(plan: Plan, seq: int) -> list[Standing]:
    told = _told(seq).order_by("-seq")
    placed = JSONObject(finished=F("data__finished"), reached=F("data__reached"))
    rows = (
        Task.objects.filter(plan=plan)
        .order_by("position")
        .values_list(
            "pk",
            "wave_id",
            "tenant_id",
            "tenant__name",
            "tenant__environment",
            Subquery(told.exclude(to_state="").values("to_state")[:1]),
            Subquery(told.filter(kind__in=PLACING).values_list(placed)[:1]),
            Subquery(told.exclude(kind__in=SAYING_NOTHING).values("kind")[:1]),
            Subquery(
                _told(seq)
                .filter(kind=EventKind.TASK_CREATED)
                .order_by("seq")
                .values("data__environment")[:1]
            ),
        )
    )
    found = [_standing(*row) for row in rows]
    return _settled(plan, seq, found)


def _told(seq: int) -> QuerySet[Event]:
    """The events of the outer query's task up to `seq`."""
    return Event.objects.filter(task=OuterRef("pk"), seq__lte=seq)


def _standing(
    task_id: int,
    wave_id: int,
    tenant_id: str,
    name: str,
    registered: str,
    state: str | None,
    placed: dict[str, Any] | None,
    kind: str | None,
    created_in: str | None,
) -> Standing:
    state = state or TaskState.PENDING.value
    finished = (placed or {}).get("finished") or 0
    reached = (placed or {}).get("reached")
    return Standing(
        task_id,
        wave_id,
        tenant_id,
        name,
        state,
        _condition(state, kind),
        finished,
        finished if reached is None else reached,
        created_in or registered,
    )


def _condition(state: str, kind: str | None) -> Condition:
    if state != TaskState.RUNNING:
        return Condition(state.lower())
    return CONDITIONS.get(EventKind(kind), Condition.RUNNING) if kind else Condition.RUNNING


def _has_slot(standing: Standing) -> bool:
    return standing.state in ACTIVE_STATES and standing.condition != Condition.QUEUED


def _settled(plan: Plan, seq: int, standings: list[Standing]) -> list[Standing]:
    """The same with the environments of the tenants that the plan has moved by then."""
    names = stage_names(plan)
    if SETTLING_STAGE not in names:
        return standings
    settling = names.index(SETTLING_STAGE)
    moved = {
        each.task_id: plan.target for each in standings if each.state == TaskState.COMPLETED
    } | _environments(
        seq,
        [
            each.task_id
            for each in standings
            if each.reached > settling and each.state != TaskState.COMPLETED
        ],
    )
    return [
        each._replace(environment=moved[each.task_id]) if each.task_id in moved else each
        for each in standings
    ]


def _environments(seq: int, task_ids: Sequence[int]) -> dict[int, str]:
    """Where the settling stage, if it was ever finished or undone by then, left these tenants."""
    finished = _told(seq).filter(kind=EventKind.STAGE_COMPLETED, data__stage=SETTLING_STAGE)
    left_in = Subquery(finished.order_by("-seq").values("data__result__status")[:1])
    found: dict[int, str] = {}
    for some in slices(task_ids):
        tasks = Task.objects.filter(pk__in=some)
        found.update((pk, where) for pk, where in tasks.values_list("pk", left_in) if where)
    return found
