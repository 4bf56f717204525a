"""What the overview says beside its wall: the fleet in numbers, what needs somebody, what runs."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Max

from plans.models import Environment, Plan, PlanState, Task, TaskState, Tenant
from plans.queries import plan_list
from plans.queries.eligible import overtaken
from plans.queries.plan_list import PlanRow
from plans.queries.wall import latest_tasks

ROWS_MAX = 20
HAPPENING = (
    TaskState.PENDING,
    TaskState.RUNNING,
    TaskState.PAUSED,
    TaskState.FAILED,
    TaskState.ROLLING_BACK,
    TaskState.ROLLED_BACK,
    TaskState.ROLLBACK_FAILED,
)
"""The states that the overview counts: completed and cancelled ones are simply where they are."""
UNDER_WAY = (PlanState.RUNNING, PlanState.PAUSED, PlanState.ROLLING_BACK)


@dataclass(frozen=True)
class FleetCounts:
    """Tenants by environment, and by what their latest task is about."""

    environments: list[tuple[Environment, int]]
    states: list[tuple[TaskState, int]]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.environments)


@dataclass(frozen=True)
class FailedPlan:
    """A plan with failed tasks that no later task has made good."""

    plan: Plan
    count: int
    sample: Task


def fleet_counts() -> FleetCounts:
    """Two statements whatever the fleet's size."""
    places = Tenant.objects.order_by().values_list("environment").annotate(Count("pk"))
    tasks = latest_tasks(Tenant.objects.all()).order_by().values_list("state")
    by_place, by_state = dict(places), Counter(dict(tasks.annotate(Count("pk"))))
    return FleetCounts(
        [(place, by_place.get(place.value, 0)) for place in Environment],
        [(state, by_state[state.value]) for state in HAPPENING],
    )


def failed_plans() -> list[FailedPlan]:
    """Plans with tasks that failed and wait for a person, the latest first."""
    failed = Task.objects.filter(state__in=(TaskState.FAILED, TaskState.ROLLBACK_FAILED))
    grouped = failed.exclude(overtaken()).order_by().values_list("plan_id")
    counted = list(grouped.annotate(Count("pk"), Max("pk")).order_by("-plan_id")[:ROWS_MAX])
    samples = Task.objects.select_related("plan", "tenant").in_bulk([pk for *_, pk in counted])
    return [FailedPlan(samples[pk].plan, count, samples[pk]) for _, count, pk in counted]


def halted_plans() -> list[PlanRow]:
    """Plans that hand out no more, though they are not at their end."""
    halted = Plan.objects.filter(state__in=UNDER_WAY, halt__isnull=False)
    return plan_list.rows_of(halted.order_by("-pk")[:ROWS_MAX])


def plans_under_way() -> list[PlanRow]:
    """What runs, what is paused, and what stands ready to be started."""
    shown = Plan.objects.filter(state__in=(*UNDER_WAY, PlanState.CREATED))
    rows = plan_list.rows_of(shown.order_by("-pk")[:ROWS_MAX])
    return sorted(rows, key=lambda row: row.plan.state == PlanState.CREATED)
