"""What a failed task means for its plan (S3.5), and how a halted plan goes on (S4.2)."""

import pytest

from plans import operations
from plans.engine import scheduler
from plans.message import Message
from plans.models import Event, EventKind, Plan, PlanState, Task, TaskState, Wave
from tests.plans.switching import break_stage, place, switched_plan
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> list[str]:
    return list(Task.objects.order_by("position").values_list("state", flat=True))


def break_tenants(sandbox: Sandbox, *numbers: int) -> None:
    for number in numbers:
        break_stage(sandbox, "switch_route", f"tenant-{number:03}")


def test_halt_hands_out_no_more_and_lets_running_tasks_finish(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    plan = switched_plan(4, max_concurrency=2)
    work_off()
    assert states() == ["FAILED", "COMPLETED", "PENDING", "PENDING"]
    plan = Plan.objects.get(pk=plan.pk)
    assert plan.state == PlanState.FAILED
    assert plan.finished_at
    assert plan.halt["values"] == {"failed": 1, "budget": 0, "tenant": "tenant-001"}
    halted = Event.objects.get(kind=EventKind.PLAN_HALTED)
    assert "tenant-001" in halted.reason
    assert calls_of(sandbox.calls(), "tenant-003") == []


def test_a_halt_counts_what_fails_after_it(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1, 2)
    switched_plan(4, max_concurrency=2)
    work_off()
    assert states() == ["FAILED", "FAILED", "PENDING", "PENDING"]
    assert Plan.objects.get().halt["values"]["failed"] == 2
    assert Event.objects.get(kind=EventKind.PLAN_FAILED).reason.startswith("2 failed")
    assert Event.objects.filter(kind=EventKind.PLAN_HALTED).count() == 1


def test_continue_without_a_budget_goes_to_the_end(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1, 3)
    switched_plan(4, max_concurrency=1, failure_policy="continue")
    work_off()
    assert states() == ["FAILED", "COMPLETED", "FAILED", "COMPLETED"]
    assert Plan.objects.get().state == PlanState.FAILED
    assert Plan.objects.get().halt is None


@pytest.mark.parametrize(("budget", "begun"), [(0, 1), (1, 2), (2, 4)])
def test_continue_pauses_once_its_budget_is_spent(
    sandbox: Sandbox, budget: int, begun: int
) -> None:
    break_tenants(sandbox, 1, 2)
    switched_plan(4, max_concurrency=1, failure_policy="continue", failure_budget=budget)
    work_off()
    ends = ["FAILED", "FAILED", "COMPLETED", "COMPLETED"]
    assert states() == ends[:begun] + ["PENDING"] * (4 - begun)
    assert Plan.objects.get().state == ("FAILED" if begun == 4 else "PAUSED")


def test_a_spent_budget_pauses_the_plan_and_lets_running_tasks_finish(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    switched_plan(4, max_concurrency=2, failure_policy="continue", failure_budget=0)
    work_off()
    assert states() == ["FAILED", "COMPLETED", "PENDING", "PENDING"]
    assert Plan.objects.get().halt["values"]["failed"] == 1
    paused = Event.objects.get(kind=EventKind.PLAN_PAUSED)
    assert (paused.actor, paused.to_state) == ("bluegreen", "PAUSED")
    assert paused.reason == "1 failed and 0 are tolerated; the latest is tenant-001"


def test_a_plan_resumed_after_its_budget_was_spent_stops_at_the_next_failure(
    sandbox: Sandbox,
) -> None:
    break_tenants(sandbox, 1, 3)
    plan = switched_plan(5, max_concurrency=1, failure_policy="continue", failure_budget=0)
    work_off()
    plan = operations.resume_plan(plan.pk, OPERATOR)
    assert (plan.halt, plan.failure_budget) == (None, 1)
    assert Event.objects.get(kind=EventKind.PLAN_RESUMED).data == {"failureBudget": 1}
    work_off()
    assert states() == ["FAILED", "COMPLETED", "FAILED", "PENDING", "PENDING"]
    assert Plan.objects.get().state == PlanState.PAUSED
    operations.resume_plan(plan.pk, OPERATOR)
    work_off()
    assert states()[3:] == ["COMPLETED", "COMPLETED"]
    assert Plan.objects.get().state == PlanState.FAILED


def test_rollback_takes_the_failed_tenant_back_and_halts(sandbox: Sandbox) -> None:
    break_stage(sandbox, "check_health")
    switched_plan(3, max_concurrency=1, failure_policy="rollback")
    work_off()
    assert states() == ["ROLLED_BACK", "PENDING", "PENDING"]
    plan = Plan.objects.get()
    assert plan.state == PlanState.FAILED
    assert plan.halt
    assert place(sandbox) == ("blue", "BLUE")
    assert Event.objects.filter(kind=EventKind.PLAN_HALTED).count() == 1
    assert plan.halt["values"]["failed"] == 1
    back = Event.objects.get(kind=EventKind.TASK_ROLLING_BACK)
    assert (back.actor, back.from_state) == ("bluegreen", "FAILED")
    assert Task.objects.get(tenant="tenant-001").failure["errorCode"] == "HEALTH_CHECK_FAILED"


def test_rollback_by_policy_that_fails_waits_for_a_person(sandbox: Sandbox) -> None:
    break_stage(sandbox, "check_health")
    sandbox.add_fault("tenant-001", "gateway.get_route", "latency", seconds=0)
    switched_plan(2, max_concurrency=1, failure_policy="rollback")
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=400)
    work_off()
    # The route could not be switched forward, so going back begins there and fails there too.
    assert states() == ["ROLLBACK_FAILED", "PENDING"]
    assert Plan.objects.get().state == PlanState.FAILED
    sandbox.clear_faults()
    operations.roll_back_task(Task.objects.get(tenant="tenant-001").pk, OPERATOR)
    work_off()
    assert states() == ["ROLLED_BACK", "PENDING"]
    assert place(sandbox) == ("blue", "BLUE")


def test_rollback_by_policy_of_a_tenant_that_was_not_touched_does_nothing(
    sandbox: Sandbox,
) -> None:
    break_stage(sandbox, "read_tenant")
    switched_plan(2, max_concurrency=1, failure_policy="rollback")
    work_off()
    assert states() == ["FAILED", "PENDING"]
    assert Plan.objects.get().state == PlanState.FAILED


@pytest.mark.parametrize("from_checkpoint", [True, False])
def test_retrying_the_plan_after_a_rollback_by_policy_completes_it(
    sandbox: Sandbox, from_checkpoint: bool
) -> None:
    break_stage(sandbox, "check_health")
    plan = switched_plan(3, max_concurrency=1, failure_policy="rollback")
    work_off()
    sandbox.clear_faults()
    operations.retry_plan(plan.pk, OPERATOR, from_checkpoint=from_checkpoint)
    work_off()
    assert states() == ["COMPLETED"] * 3
    assert Plan.objects.get().state == PlanState.COMPLETED
    assert Plan.objects.get().halt is None
    assert place(sandbox) == ("green", "GREEN")


def test_retrying_one_task_of_a_halted_plan_starts_no_other(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    switched_plan(3, max_concurrency=1)
    work_off()
    sandbox.clear_faults()
    operations.retry_task(Task.objects.get(tenant="tenant-001").pk, OPERATOR)
    assert Plan.objects.get().state == PlanState.RUNNING
    work_off()
    assert states() == ["COMPLETED", "PENDING", "PENDING"]
    plan = Plan.objects.get()
    assert plan.state == PlanState.FAILED
    assert str(Message.from_json(plan.halt)) == "2 tenants were not begun"
    ends = Event.objects.filter(kind=EventKind.PLAN_FAILED).order_by("seq")
    assert [end.reason for end in ends][1:] == ["2 tenants were not begun"]
    assert calls_of(sandbox.calls(), "tenant-002") == []


def test_retrying_a_halted_plan_starts_what_was_held_back(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    plan = switched_plan(3, max_concurrency=1)
    work_off()
    sandbox.clear_faults()
    operations.retry_plan(plan.pk, OPERATOR, reason="mended")
    work_off()
    assert states() == ["COMPLETED"] * 3
    assert Plan.objects.get().state == PlanState.COMPLETED
    retried = Event.objects.get(kind=EventKind.PLAN_RETRIED)
    assert (retried.from_state, retried.to_state, retried.reason) == ("FAILED", "RUNNING", "mended")


@pytest.mark.parametrize("policy", ["halt", "continue"])
def test_a_single_retry_that_makes_all_complete_completes_the_plan(
    sandbox: Sandbox, policy: str
) -> None:
    break_tenants(sandbox, 2)
    switched_plan(2, failure_policy=policy)
    work_off()
    assert states() == ["COMPLETED", "FAILED"]
    sandbox.clear_faults()
    operations.retry_task(Task.objects.get(tenant="tenant-002").pk, OPERATOR)
    work_off()
    assert states() == ["COMPLETED"] * 2
    plan = Plan.objects.get()
    assert (plan.state, plan.halt) == (PlanState.COMPLETED, None)


def test_a_retry_that_fails_again_fails_the_plan_again(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    plan = switched_plan(2, max_concurrency=1)
    work_off()
    operations.retry_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.FAILED
    assert states()[0] == "FAILED"
    assert Event.objects.filter(kind=EventKind.PLAN_FAILED).count() == 2


def test_a_wave_begins_when_the_one_before_has_ended(sandbox: Sandbox) -> None:
    switched_plan(5, waves=[{"size": 1}, {"size": 2, "mode": "FIFO"}, {"rest": True}])
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    kinds = [EventKind.WAVE_STARTED, EventKind.WAVE_COMPLETED]
    waves = [(e.kind, e.data["wave"]) for e in Event.objects.filter(kind__in=kinds)]
    assert waves == [(kind, index) for index in range(3) for kind in kinds]
    assert not Wave.objects.filter(finished_at=None).exists()


def test_a_failed_canary_keeps_the_other_waves_from_beginning(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    switched_plan(4, waves=[{"size": 1}, {"rest": True}])
    work_off()
    assert states() == ["FAILED", "PENDING", "PENDING", "PENDING"]
    assert not Event.objects.filter(kind=EventKind.WAVE_STARTED, data__wave=1).exists()


def test_settling_once_too_often_changes_nothing(sandbox: Sandbox) -> None:
    break_tenants(sandbox, 1)
    plan = switched_plan(3, max_concurrency=2)
    before = Event.objects.count()
    for _ in range(3):
        scheduler.settle(plan.pk)
    assert Event.objects.count() == before
    work_off()
    before = Event.objects.count()
    for _ in range(3):
        scheduler.settle(plan.pk)
    assert Event.objects.count() == before
    assert Task.objects.filter(state=TaskState.PENDING).count() == 1
