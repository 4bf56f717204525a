"""What goes on at this moment: tasks in flight, tasks that wait for a slot, who leads."""

from collections.abc import Mapping

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Now

from plans.models import Leadership, Plan, PlanState, Task, TaskState, Wave

LEASED = "leased"
PARKED = "parked"
CALLED = "called"
HOLDINGS = (LEASED, PARKED, CALLED)
"""A task in flight is run by a worker, waits until its time comes, or waits for a worker."""


def plans_by_state() -> Mapping[str, int]:
    """Only states that some plan is in."""
    return dict(Plan.objects.order_by().values_list("state").annotate(Count("pk")))


def in_flight() -> Mapping[tuple[str, str], int]:
    """How many tasks hold a slot, by stage and by one of `HOLDINGS`."""
    holding = Case(
        When(~Q(lease_owner=""), then=Value(LEASED)),
        When(wake_at__isnull=False, then=Value(PARKED)),
        default=Value(CALLED),
    )
    tasks = Task.objects.filter(admitted=True).order_by().annotate(holding=holding)
    rows = tasks.values_list("step", "holding").annotate(count=Count("pk"))
    return {(step, held): count for step, held, count in rows}


def pending_in_current_waves() -> int:
    """How many tasks would be handed out now if only there were slots."""
    closed = Wave.objects.filter(gate_closed_at__isnull=False, gate_opened_at__isnull=True)
    return (
        Task.objects.filter(
            state=TaskState.PENDING,
            plan__state=PlanState.RUNNING,
            plan__halt__isnull=True,
            wave__index=F("plan__current_wave"),
        )
        .exclude(plan__in=closed.values("plan"))
        .count()
    )


def leaders_ages() -> Mapping[str, float]:
    """Seconds since each role's leader was last seen, by the database's clock."""
    age = ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField())
    return {
        role: max(0.0, seen.total_seconds())
        for role, seen in Leadership.objects.annotate(age=age).values_list("role", "age")
    }
