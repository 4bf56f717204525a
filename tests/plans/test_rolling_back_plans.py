"""Rollback of whole plans: what they changed goes back, and what is no longer theirs stays."""

import pytest

from plans import operations
from plans.models import EventKind, Plan, PlanState, Task, TaskState
from plans.queries import blast
from plans.queries.tally import Tally
from tests.plans.interrupting import Interruptions
from tests.plans.switching import (
    STAGES,
    TENANT,
    break_stage,
    place,
    steps_called,
    switched_plan,
)
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_whole_plan_rolls_back(sandbox: Sandbox) -> None:
    plan = switched_plan(4, waves=[{"size": 2}, {"rest": True}])
    work_off()
    operations.roll_back_plan(plan.pk, OPERATOR, reason="all of it")
    assert Plan.objects.get().state == PlanState.ROLLING_BACK
    work_off()
    assert Plan.objects.get().state == PlanState.ROLLED_BACK
    assert set(Task.objects.values_list("state", flat=True)) == {TaskState.ROLLED_BACK}
    for n in range(1, 5):
        assert place(sandbox, f"tenant-{n:03}") == ("blue", "BLUE")


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("stage", STAGES[:-1])
def test_a_plan_that_rolls_back_while_tasks_run_ends_with_all_of_them_back(
    sandbox: Sandbox, interruptions: Interruptions, stage: str, is_paused: bool
) -> None:
    def roll_back(plan_id: int) -> None:
        if is_paused:
            operations.pause_plan(plan_id, OPERATOR)
        operations.roll_back_plan(plan_id, OPERATOR)

    interruptions.at(EventKind.STAGE_STARTED, lambda e: roll_back(e.plan_id or 0), stage=stage)
    switched_plan(3, max_concurrency=2)
    work_off()
    assert Plan.objects.get().state == PlanState.ROLLED_BACK
    states = list(Task.objects.order_by("pk").values_list("state", flat=True))
    assert states == [TaskState.ROLLED_BACK, TaskState.CANCELLED, TaskState.CANCELLED]
    for n in range(1, 4):
        assert place(sandbox, f"tenant-{n:03}") == ("blue", "BLUE")


def test_the_last_failed_rollback_of_a_plan_can_be_tried_again_by_itself(sandbox: Sandbox) -> None:
    plan = switched_plan(3)
    work_off()
    break_stage(sandbox, "switch_route")
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.ROLLBACK_FAILED
    sandbox.clear_faults()
    stuck = Task.objects.get(state=TaskState.ROLLBACK_FAILED)
    operations.roll_back_task(stuck.pk, OPERATOR)
    assert Plan.objects.get().state == PlanState.ROLLING_BACK
    work_off()
    assert Task.objects.get(pk=stuck.pk).state == TaskState.ROLLED_BACK
    assert Plan.objects.get().state == PlanState.ROLLED_BACK


def test_a_plan_whose_rollback_failed_is_rolled_back_again(sandbox: Sandbox) -> None:
    plan = switched_plan(3)
    work_off()
    break_stage(sandbox, "switch_route")
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.ROLLBACK_FAILED
    states = list(Task.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["ROLLBACK_FAILED", "ROLLED_BACK", "ROLLED_BACK"]
    sandbox.clear_faults()
    since = sandbox.last_call()
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")
    assert steps_called(sandbox, since, "tenant-002") == []


def test_a_plan_that_rolls_back_again_leaves_what_a_later_plan_has_changed(
    sandbox: Sandbox,
) -> None:
    first = switched_plan(2)
    work_off()
    break_stage(sandbox, "switch_route", "tenant-001")
    break_stage(sandbox, "switch_route", "tenant-002")
    operations.roll_back_plan(first.pk, OPERATOR)
    work_off()
    assert set(Task.objects.values_list("state", flat=True)) == {TaskState.ROLLBACK_FAILED}
    sandbox.clear_faults()
    later = make_plan([TENANT], target="green")
    operations.start_plan(later.pk, OPERATOR)
    work_off()
    assert Task.objects.get(plan=later).state == TaskState.COMPLETED
    words = " ".join(map(str, blast.of_plan(first, "rollback", Tally.of(first))))
    assert "1 tenant that this plan has changed goes back" in words
    since = sandbox.last_call()
    operations.roll_back_plan(first.pk, OPERATOR)
    work_off()
    assert steps_called(sandbox, since) == []
    assert place(sandbox) == ("green", "GREEN")
    assert place(sandbox, "tenant-002") == ("blue", "BLUE")
    # A tenant that did not go back by it is left: the plan says so, as before.
    assert Plan.objects.get(pk=first.pk).state == PlanState.ROLLBACK_FAILED


def test_a_cancelled_plan_rolls_back_what_it_had_changed(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    interruptions.at(
        EventKind.TASK_COMPLETED, lambda e: operations.cancel_plan(e.plan_id or 0, OPERATOR)
    )
    plan = switched_plan(2, max_concurrency=1)
    work_off()
    assert place(sandbox) == ("green", "GREEN")
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    states = list(Task.objects.order_by("pk").values_list("state", flat=True))
    assert states == [TaskState.ROLLED_BACK, TaskState.CANCELLED]
    assert Plan.objects.get().state == PlanState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")
