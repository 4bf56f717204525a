"""Pause and cancel of a whole plan at every stage of what it runs."""

import pytest

from plans import operations
from plans.errors import IllegalTransition
from plans.models import (
    Event,
    EventKind,
    Plan,
    PlanState,
    Task,
    TaskState,
)
from tests.plans.interrupting import Interruptions
from tests.plans.switching import (
    PLACES,
    STAGES,
    place,
    states,
    switched_plan,
    writes,
)
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_pausing_a_plan_pauses_what_runs_and_hands_out_nothing(
    sandbox: Sandbox, interruptions: Interruptions, stage: str
) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: operations.pause_plan(e.plan_id or 0, OPERATOR, reason="lunch"),
        stage=stage,
    )
    plan = switched_plan(4, max_concurrency=2)
    work_off()
    assert states(Plan) == [PlanState.PAUSED]
    assert states(Task) == ["PAUSED", "PAUSED", "PENDING", "PENDING"]
    assert place(sandbox) == PLACES[stage]
    assert place(sandbox, "tenant-002") == ("blue", "BLUE")
    # The first was with a worker and was asked, the second was not and stood still at once.
    assert Event.objects.filter(kind=EventKind.TASK_PAUSE_REQUESTED).count() == 1
    operations.resume_plan(plan.pk, OPERATOR)
    work_off()
    assert states(Plan) == [PlanState.COMPLETED]
    assert states(Task) == [TaskState.COMPLETED] * 4
    assert writes(sandbox) == [("gateway.put_route", "green"), ("ob.put_status", "green")]


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_cancelling_a_plan_ends_all_of_it(
    sandbox: Sandbox, interruptions: Interruptions, stage: str
) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: operations.cancel_plan(e.plan_id or 0, OPERATOR, reason="no"),
        stage=stage,
    )
    switched_plan(3, max_concurrency=2)
    work_off()
    assert states(Plan) == [PlanState.CANCELLED]
    assert states(Task) == [TaskState.CANCELLED] * 3
    assert place(sandbox) == PLACES[stage]
    assert place(sandbox, "tenant-002") == place(sandbox, "tenant-003") == ("blue", "BLUE")
    cancelled = Event.objects.filter(kind=EventKind.TASK_CANCELLED)
    assert {(e.actor, e.reason) for e in cancelled} == {("olga", "no")}


def test_a_plan_that_was_never_started_is_cancelled_with_its_tasks(sandbox: Sandbox) -> None:
    plan = switched_plan(2)
    operations.pause_plan(plan.pk, OPERATOR)
    operations.cancel_plan(plan.pk, OPERATOR)
    assert states(Task) == [TaskState.CANCELLED] * 2
    assert sandbox.calls() == [] or writes(sandbox) == []


def test_a_task_is_not_resumed_while_its_plan_is_paused(sandbox: Sandbox) -> None:
    plan = switched_plan()
    operations.pause_plan(plan.pk, OPERATOR)
    task = Task.objects.get()
    with pytest.raises(IllegalTransition, match="cannot be resumed while its plan is paused"):
        operations.resume_task(task.pk, OPERATOR)
    assert states(Task) == [TaskState.PAUSED]
