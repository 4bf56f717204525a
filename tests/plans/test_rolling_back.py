"""Rollback after every stage: the tenant returns, under a version that is higher still."""

import pytest
from django.db import IntegrityError
from redis import Redis

from plans import operations
from plans.errors import IllegalTransition, TenantConflict
from plans.models import Direction, Event, EventKind, Plan, PlanState, StageRun, Task, TaskState
from plans.operations.looked import operating_on_plan, operating_on_task
from plans.operations.taken import conflict_of_plan
from plans.stores import tenant_config
from tests.plans.interrupting import Interruptions
from tests.plans.switching import (
    BREAKDOWNS,
    NEW,
    OLD,
    SOON,
    STAGES,
    TENANT,
    break_stage,
    failed_at,
    give_deliveries,
    hold_old_config,
    place,
    steps_called,
    switched_plan,
    writes,
)
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import WAIT_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def assert_is_back(sandbox: Sandbox, task_id: int, version: int) -> None:
    """The tenant is where it was, with its old payload under a higher version."""
    task = Task.objects.get(pk=task_id)
    assert task.state == TaskState.ROLLED_BACK
    assert (task.cursor, task.reached, task.checkpoint, task.context) == (0, 0, None, {})
    assert place(sandbox) == ("blue", "BLUE")
    held = tenant_config.read(TENANT)
    assert held
    assert (held.payload, held.color) == (OLD, "blue")
    assert held.version > version
    assert set(sandbox.versions(TENANT)) == {str(held.version)}


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_task_that_failed_at_a_stage_rolls_back(sandbox: Sandbox, stage: str) -> None:
    hold_old_config()
    task = failed_at(sandbox, stage)
    assert (task.state, task.step) == (TaskState.FAILED, stage)
    before = tenant_config.read(TENANT)
    operations.roll_back_task(task.pk, OPERATOR, reason="not tonight")
    work_off()
    assert before
    assert_is_back(sandbox, task.pk, before.version)
    undone = StageRun.objects.filter(direction=Direction.ROLLBACK).values_list("stage", flat=True)
    reached = STAGES.index(stage) + 1
    assert list(undone) == list(reversed(STAGES[:reached]))
    begun = Event.objects.get(kind=EventKind.TASK_ROLLING_BACK)
    assert (begun.actor, begun.reason, begun.from_state) == ("olga", "not tonight", "FAILED")
    assert Plan.objects.get().state == PlanState.FAILED


def test_a_task_that_failed_before_it_knew_the_tenant_has_nothing_to_roll_back(
    sandbox: Sandbox,
) -> None:
    task = failed_at(sandbox, "read_tenant")
    with pytest.raises(IllegalTransition):
        operations.roll_back_task(task.pk, OPERATOR)
    assert writes(sandbox) == []


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize("ask", [operations.pause_task, operations.cancel_task])
def test_a_task_that_was_stopped_after_a_stage_rolls_back(
    sandbox: Sandbox, interruptions: Interruptions, stage: str, ask: object
) -> None:
    hold_old_config()
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: ask(e.task_id, OPERATOR),  # type: ignore[operator]
        stage=stage,
    )
    switched_plan()
    work_off()
    task = Task.objects.get()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    if stage == "read_tenant":
        # The next stage had not begun: only reading is undone, and that changes nothing.
        assert Task.objects.get().state == TaskState.ROLLED_BACK
        assert writes(sandbox) == []
    else:
        assert_is_back(sandbox, task.pk, 31)


def test_a_completed_task_rolls_back(sandbox: Sandbox) -> None:
    hold_old_config()
    switched_plan()
    work_off()
    assert place(sandbox) == ("green", "GREEN")
    task = Task.objects.get()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert_is_back(sandbox, task.pk, 31)
    assert Plan.objects.get().state == PlanState.COMPLETED
    last = [("ob.put_status", "blue"), ("gateway.put_route", "blue")]
    assert writes(sandbox)[-2:] == last


def test_a_route_that_differed_from_the_status_returns_to_what_it_was(sandbox: Sandbox) -> None:
    sandbox.change_tenant(TENANT, route="green", status="BLUE")
    plan = make_plan([TENANT], target="green")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    assert place(sandbox) == ("green", "GREEN")
    operations.roll_back_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert place(sandbox) == ("green", "BLUE")


@pytest.mark.parametrize(
    "stage", ["deliver_config", "notify_services", "switch_route", "update_status"]
)
def test_a_rollback_that_failed_at_a_stage_is_tried_again(sandbox: Sandbox, stage: str) -> None:
    hold_old_config()
    switched_plan()
    work_off()
    task = Task.objects.get()
    break_stage(sandbox, stage)
    if stage == "deliver_config":
        give_deliveries(SOON)
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert (task.state, task.step) == (TaskState.ROLLBACK_FAILED, stage)
    assert task.failure["errorCode"] == BREAKDOWNS[stage].code
    failed = Event.objects.get(kind=EventKind.TASK_ROLLBACK_FAILED)
    assert (failed.from_state, failed.data["stage"]) == ("ROLLING_BACK", stage)
    sandbox.clear_faults()
    give_deliveries(WAIT_SECONDS)
    since = sandbox.last_call()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert_is_back(sandbox, task.pk, 31)
    # What was undone already is not undone again.
    assert ("ob.put_status" in steps_called(sandbox, since)) == (stage == "update_status")


def test_a_rolled_back_task_that_is_retried_reads_its_tenant_anew(sandbox: Sandbox) -> None:
    hold_old_config()
    task = failed_at(sandbox, "check_health")
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    held = tenant_config.read(TENANT)
    assert held
    # Somebody else changes the tenant while it is back.
    tenant_config.write(TENANT, held.version + 10, epoch=0, color="blue", payload=NEW)
    operations.retry_task(task.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert task.state == TaskState.COMPLETED
    assert Plan.objects.get().state == PlanState.COMPLETED
    assert place(sandbox) == ("green", "GREEN")
    assert task.previous["payload"] == NEW
    assert task.previous["version"] == held.version + 10


def test_an_overtaken_task_is_neither_rolled_back_nor_retried(sandbox: Sandbox) -> None:
    first = failed_at(sandbox, "check_health")
    second = make_plan([TENANT], target="green")
    operations.start_plan(second.pk, OPERATOR)
    work_off()
    for operation in (operations.roll_back_task, operations.retry_task):
        with pytest.raises(TenantConflict, match="A later task has changed tenant"):
            operation(first.pk, OPERATOR)
    assert Task.objects.get(pk=first.pk).state == TaskState.FAILED
    later = Task.objects.get(plan=second)
    operations.roll_back_task(later.pk, OPERATOR)
    work_off()
    operations.roll_back_task(first.pk, OPERATOR)
    work_off()
    assert Task.objects.get(pk=first.pk).state == TaskState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")


def test_versions_never_go_down_though_redis_has_lost_what_a_later_task_put_there(
    sandbox: Sandbox, redis_server: str
) -> None:
    hold_old_config()
    first = failed_at(sandbox, "check_health")
    for target in ("green", "green"):
        later = make_plan([TENANT], target=target)
        operations.start_plan(later.pk, OPERATOR)
        work_off()
        operations.roll_back_task(Task.objects.get(plan=later).pk, OPERATOR)
        work_off()
    last = tenant_config.read(TENANT)
    assert last
    with Redis.from_url(redis_server) as client:
        client.flushall()
    operations.roll_back_task(first.pk, OPERATOR)
    work_off()
    assert_is_back(sandbox, first.pk, last.version)


def test_a_later_task_that_changed_nothing_does_not_overtake(sandbox: Sandbox) -> None:
    first = failed_at(sandbox, "check_health")
    second = make_plan([TENANT], target="green")
    break_stage(sandbox, "read_tenant")
    operations.start_plan(second.pk, OPERATOR)
    work_off()
    sandbox.clear_faults()
    assert Task.objects.get(plan=second).state == TaskState.FAILED
    operations.roll_back_task(first.pk, OPERATOR)
    work_off()
    assert Task.objects.get(pk=first.pk).state == TaskState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")


def test_a_plan_names_the_tenant_that_another_took_meanwhile(sandbox: Sandbox) -> None:
    failed = failed_at(sandbox, "check_health")
    make_plan([TENANT], target="green")
    said = f"Tenant {TENANT} is already in an unfinished task"
    # As where the other plan is stored after this one has looked who is free.
    with (
        pytest.raises(TenantConflict, match=said),
        operating_on_plan(failed.plan_id, OPERATOR) as (plan, _record),
    ):
        plan.tasks.update(state=TaskState.RUNNING)
    assert Task.objects.get(pk=failed.pk).state == TaskState.FAILED


def test_a_tenant_that_is_free_again_is_not_said_to_be_taken(sandbox: Sandbox) -> None:
    assert "a moment ago: try again" in str(conflict_of_plan(make_plan([TENANT]).pk).message)


def test_what_else_the_database_refuses_is_no_conflict_of_tenants(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    task = plan.tasks.first()
    assert task is not None
    with pytest.raises(IntegrityError), operating_on_plan(plan.pk, OPERATOR):
        plan.tasks.update(position=7)
    with pytest.raises(IntegrityError), operating_on_task(task.pk, OPERATOR):
        plan.tasks.update(position=7)


@pytest.mark.parametrize("operation", [operations.retry_task, operations.roll_back_task])
def test_a_task_whose_tenant_another_plan_has_stands_back(
    sandbox: Sandbox, operation: object
) -> None:
    failed = failed_at(sandbox, "check_health")
    make_plan([TENANT], target="green")
    events = Event.objects.count()
    with pytest.raises(TenantConflict, match=f"Tenant {TENANT} is already in an unfinished task"):
        operation(failed.pk, OPERATOR)  # type: ignore[operator]
    again = Task.objects.get(pk=failed.pk)
    assert (again.state, again.revision) == (TaskState.FAILED, failed.revision)
    assert Event.objects.count() == events
