"""What a plan and its tasks leave in the journal, in order (S2.6)."""

import pytest

from plans import operations
from plans.models import Event, Plan, Task
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

STAGE = ["stage.started", "stage.completed"]


def kinds_of(plan: Plan, after: int = 0) -> list[str]:
    events = Event.objects.filter(plan=plan, seq__gt=after).order_by("seq")
    return list(events.values_list("kind", flat=True))


def of(prefixes: tuple[str, ...], kinds: list[str]) -> list[str]:
    return [kind for kind in kinds if kind.startswith(prefixes)]


def test_a_switch_and_its_rollback_leave_their_events_in_order(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    forward = kinds_of(plan)
    assert [kind for kind in forward if kind != "task.waiting"] == [
        "plan.created",
        "task.created",
        "task.validated",
        "plan.started",
        "wave.started",
        "task.started",
        *STAGE * 6,
        "task.completed",
        "wave.completed",
        "plan.completed",
    ]
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    back = kinds_of(plan, after=len(forward))
    assert of(("plan.", "task.r"), back) == [
        "plan.rolling_back",
        "task.rolling_back",
        "task.rolled_back",
        "plan.rolled_back",
    ]
    assert back.count("stage.skipped") == 2  # The health check and the reading changed nothing.


def test_a_rollback_that_fails_leaves_its_events(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    after = len(kinds_of(plan))
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=400)
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    assert of(("plan.", "task.r", "stage.failed"), kinds_of(plan, after)) == [
        "plan.rolling_back",
        "task.rolling_back",
        "stage.failed",
        "task.rollback_failed",
        "plan.rollback_failed",
    ]


def test_a_worker_that_is_at_a_task_is_asked_to_cancel(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    Task.objects.update(lease_owner="somebody:1:a")
    operations.cancel_plan(plan.pk, OPERATOR, reason="wrong tenant")
    last = Event.objects.filter(plan=plan).order_by("-seq")[:2]
    assert [(e.kind, e.actor, e.reason) for e in last] == [
        ("task.cancel_requested", "olga", "wrong tenant"),
        ("plan.cancelled", "olga", "wrong tenant"),
    ]
