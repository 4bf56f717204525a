"""Retry from the checkpoint and from scratch after a failure at every stage."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans import operations
from plans.actor import Actor, Permission
from plans.errors import ChangedSinceYouLooked, IllegalTransition, NotFound, PermissionRefused
from plans.models import Event, EventKind, Plan, PlanState, StageRun, Task, TaskState
from tests.plans.rows import everything, make_rows
from tests.plans.switching import (
    BREAKDOWNS,
    CHECKPOINTS,
    STAGES,
    TENANT,
    failed_at,
    place,
    steps_called,
    switched_plan,
)
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

VIEWER = Actor("vera", frozenset({Permission.VIEW}))
READING = ["ob.get_tenant", "gateway.get_route"]
CALLED = {
    "read_tenant": READING,
    "deliver_config": ["instance.config"],
    "notify_services": ["instance.notify"],
    "switch_route": ["gateway.put_route"],
    "check_health": ["instance.health"],
    "update_status": ["ob.put_status"],
}


def called_from(stage: str) -> list[str]:
    return [step for each in STAGES[STAGES.index(stage) :] for step in CALLED[each]]


@pytest.mark.parametrize("stage", STAGES)
def test_a_failure_leaves_its_info_and_its_checkpoint(sandbox: Sandbox, stage: str) -> None:
    task = failed_at(sandbox, stage)
    failure = task.failure
    assert task.state == TaskState.FAILED
    assert failure["errorCode"] == BREAKDOWNS[stage].code
    assert failure["stage"] == stage
    assert failure["reason"]
    assert failure["timestamp"]
    assert failure["kind"] in ("EXECUTION", "TIMEOUT")
    done = STAGES.index(stage)
    assert task.checkpoint == {
        "step": CHECKPOINTS[done - 1] if done else "NONE",
        "data": {"completedSteps": list(STAGES[:done]), "failedStep": stage},
    }
    event = Event.objects.get(kind=EventKind.TASK_FAILED)
    assert (event.from_state, event.to_state, event.epoch) == ("RUNNING", "FAILED", 1)
    assert event.data["errorCode"] == BREAKDOWNS[stage].code


@pytest.mark.parametrize("stage", STAGES)
def test_a_retry_from_the_checkpoint_skips_what_is_finished(sandbox: Sandbox, stage: str) -> None:
    task = failed_at(sandbox, stage)
    since = sandbox.last_call()
    operations.retry_task(task.pk, OPERATOR, reason="mended")
    work_off()
    task = Task.objects.get()
    assert (task.state, task.checkpoint, task.failure) == (TaskState.COMPLETED, None, None)
    assert task.retries == 1
    assert steps_called(sandbox, since) == called_from(stage)
    assert place(sandbox) == ("green", "GREEN")
    assert Plan.objects.get().state == PlanState.COMPLETED
    event = Event.objects.get(kind=EventKind.TASK_RETRY_STARTED)
    assert (event.actor, event.reason, event.from_state) == ("olga", "mended", "FAILED")
    assert (event.data["fromCheckpoint"], event.data["finished"]) == (True, STAGES.index(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_retry_from_scratch_runs_all(sandbox: Sandbox, stage: str) -> None:
    task = failed_at(sandbox, stage)
    previous = task.previous
    since = sandbox.last_call()
    operations.retry_task(task.pk, OPERATOR, from_checkpoint=False)
    work_off()
    task = Task.objects.get()
    assert task.state == TaskState.COMPLETED
    assert steps_called(sandbox, since) == called_from("read_tenant")
    # What was before the first change counts, not what was read when half of it was done.
    assert previous is None or task.previous == previous
    assert place(sandbox) == ("green", "GREEN")
    assert Event.objects.get(kind=EventKind.TASK_RETRY_STARTED).data["finished"] == 0


def test_a_rollback_after_a_retry_from_scratch_that_fell_short_undoes_all(
    sandbox: Sandbox,
) -> None:
    task = failed_at(sandbox, "update_status")
    sandbox.add_fault(TENANT, "ob.get_tenant", "status", code=403)
    operations.retry_task(task.pk, OPERATOR, from_checkpoint=False)
    work_off()
    sandbox.clear_faults()
    assert place(sandbox) == ("green", "BLUE")
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")


def test_every_try_of_a_stage_is_recorded_apart(sandbox: Sandbox) -> None:
    task = failed_at(sandbox, "switch_route")
    operations.retry_task(task.pk, OPERATOR)
    work_off()
    runs = StageRun.objects.filter(stage="switch_route").values_list("attempt", "state")
    assert list(runs) == [(1, "FAILED"), (2, "COMPLETED")]
    keys = {call["idempotencyKey"] for call in sandbox.calls(tenant=TENANT)}
    assert {f"{task.pk}-switch_route-forward-{n}" for n in (1, 2)} <= keys


# --- What every operation refuses --------------------------------------------------------------

OPERATIONS = [
    operations.pause_task,
    operations.resume_task,
    operations.cancel_task,
    operations.retry_task,
    operations.roll_back_task,
    operations.start_plan,
    operations.pause_plan,
    operations.resume_plan,
    operations.cancel_plan,
    operations.retry_plan,
    operations.roll_back_plan,
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("seen", ["PAUSED", 999])
def test_what_moved_on_is_refused_and_nothing_happens(
    sandbox: Sandbox, operation: object, seen: object
) -> None:
    plan = switched_plan()
    subject = plan if "plan" in operation.__name__ else Task.objects.get()  # type: ignore[attr-defined]
    before = everything()
    with pytest.raises(ChangedSinceYouLooked, match="it is now running") as refused:
        operation(subject.pk, OPERATOR, seen=seen)  # type: ignore[operator]
    assert refused.value.status == 409
    assert everything() == before


@pytest.mark.parametrize("seen", ["state", "revision"])
def test_what_has_not_moved_on_is_done(sandbox: Sandbox, seen: str) -> None:
    plan = Plan.objects.get(pk=switched_plan().pk)
    operations.pause_plan(plan.pk, OPERATOR, seen=getattr(plan, seen))
    task = Task.objects.get()
    operations.cancel_task(task.pk, OPERATOR, seen=getattr(task, seen))
    assert Task.objects.get().state == TaskState.CANCELLED


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_needs_the_permission_and_its_object(
    sandbox: Sandbox, operation: object
) -> None:
    plan = switched_plan()
    subject = plan if "plan" in operation.__name__ else Task.objects.get()  # type: ignore[attr-defined]
    before = everything()
    with pytest.raises(PermissionRefused, match="vera may not do this"):
        operation(subject.pk, VIEWER)  # type: ignore[operator]
    with pytest.raises(NotFound):
        operation(subject.pk + 10_000, OPERATOR)  # type: ignore[operator]
    assert everything() == before


def test_one_operation_for_many_tells_what_became_of_each(sandbox: Sandbox) -> None:
    switched_plan(3)
    first, second, third = Task.objects.order_by("pk").values_list("pk", flat=True)
    operations.cancel_task(second, OPERATOR)
    results = operations.for_each([first, second, third, 10**6], operations.pause_task, OPERATOR)
    assert results.done == [first, third]
    skipped = dict(results.skipped)
    assert set(skipped) == {second, 10**6}
    assert "is cancelled and cannot be paused" in skipped[second].english


def test_a_task_of_a_finished_plan_is_not_retried(sandbox: Sandbox) -> None:
    switched_plan()
    work_off()
    task = Task.objects.get()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    with pytest.raises(IllegalTransition, match="cannot be retried while its plan is completed"):
        operations.retry_task(task.pk, OPERATOR)


@pytest.mark.parametrize("count", [1, 30])
def test_a_decision_for_many_tasks_looks_at_their_plan_once(count: int) -> None:
    plan, tasks = make_rows("FAILED", *["FAILED"] * count)
    with CaptureQueriesContext(connection) as queries:
        results = operations.for_each([task.pk for task in tasks], operations.retry_task, OPERATOR)
    looks = [q for q in queries.captured_queries if "(SELECT COUNT(*) FROM plans_task" in q["sql"]]
    assert len(results.done) == count
    assert len(looks) == 1
    assert Plan.objects.get(pk=plan.pk).state == PlanState.RUNNING
    assert Task.objects.filter(admitted=True).count() == min(count, plan.max_concurrency)
