"""A plan from creation to its end, in one process."""

import pytest

from plans import operations
from plans.models import Event, Plan, PlanState, StageRun, Task, TaskState
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_plan_switches_every_tenant_and_completes(sandbox: Sandbox) -> None:
    plan = make_plan([f"tenant-{n:03}" for n in range(1, 6)], waves=[{"size": 1}, {"rest": True}])
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    plan = Plan.objects.get(pk=plan.pk)
    assert plan.state == PlanState.COMPLETED
    assert {task.state for task in Task.objects.all()} == {TaskState.COMPLETED}
    assert StageRun.objects.count() == 30
    for n in range(1, 6):
        assert sandbox.route(f"tenant-{n:03}") == "green"
        assert sandbox.status(f"tenant-{n:03}") == "GREEN"
    seqs = list(Event.objects.filter(plan=plan).values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_failed_tenant_goes_on_from_its_checkpoint(sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], failure_policy="continue")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    failed = Task.objects.get(tenant="tenant-002")
    assert Plan.objects.get().state == PlanState.FAILED
    assert failed.state == TaskState.FAILED
    assert failed.failure["errorCode"] == "GATEWAY_REJECTED"
    assert failed.checkpoint["data"] == {
        "completedSteps": ["read_tenant", "deliver_config", "notify_services"],
        "failedStep": "switch_route",
    }
    sandbox.clear_faults()
    operations.retry_task(failed.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    assert Task.objects.get(pk=failed.pk).checkpoint is None


def test_a_rollback_returns_the_tenant_to_where_it_was(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    assert sandbox.route("tenant-001") == "blue"
    assert sandbox.status("tenant-001") == "BLUE"
