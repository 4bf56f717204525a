"""What the overview says beside its wall: what needs somebody, what runs."""

from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Q

from plans.models import (
    UNDER_WAY_PLAN_STATES,
    UNFINISHED_PLAN_STATES,
    Plan,
    PlanState,
    Task,
    TaskState,
)
from plans.queries import plan_list
from plans.queries.eligible import overtaken
from plans.queries.plan_list import PlanRow

ROWS_MAX = 20


@dataclass(frozen=True)
class FailedPlan:
    """A plan with failed tasks that no later task has made good."""

    plan: Plan
    count: int
    sample: Task


def failed_plans() -> list[FailedPlan]:
    """Plans with tasks that failed and wait for a person, the latest first."""
    failed = Task.objects.filter(state__in=(TaskState.FAILED, TaskState.ROLLBACK_FAILED))
    grouped = failed.exclude(overtaken()).order_by().values_list("plan_id")
    counted = list(grouped.annotate(Count("pk"), Max("pk")).order_by("-plan_id")[:ROWS_MAX])
    samples = Task.objects.select_related("plan", "tenant").in_bulk([pk for *_, pk in counted])
    return [FailedPlan(samples[pk].plan, count, samples[pk]) for _, count, pk in counted]


def halted_plans() -> list[PlanRow]:
    """Plans that hand out no more, though not all of their tenants have begun: also such as have
    ended so, whose tenants no other plan may take.
    """
    pending = Task.objects.filter(plan=OuterRef("pk"), state=TaskState.PENDING)
    halted = Q(state__in=UNDER_WAY_PLAN_STATES, halt__isnull=False)
    cut_short = Q(Exists(pending), state=PlanState.FAILED)
    return plan_list.rows_of(Plan.objects.filter(halted | cut_short).order_by("-pk")[:ROWS_MAX])


def plans_under_way() -> list[PlanRow]:
    """What runs, what is paused, and what stands ready to be started."""
    shown = Plan.objects.filter(state__in=UNFINISHED_PLAN_STATES)
    rows = plan_list.rows_of(shown.order_by("-pk")[:ROWS_MAX])
    return sorted(rows, key=lambda row: row.plan.state == PlanState.CREATED)
