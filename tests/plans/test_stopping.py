"""Pause and cancel at every stage: obeyed at the next boundary, and nothing else changes."""

from collections.abc import Callable

import pytest

from plans import operations
from plans.errors import IllegalTransition
from plans.models import (
    Control,
    Event,
    EventKind,
    Plan,
    PlanState,
    StageRun,
    StageRunState,
    Task,
    TaskState,
)
from plans.stages.base import RetryPolicy, Stage
from tests.plans.interrupting import Interruptions
from tests.plans.switching import (
    CHECKPOINTS,
    PLACES,
    STAGES,
    TENANT,
    beating,
    no_stage_run_is_open,
    place,
    states,
    switched_plan,
    task_of,
    writes,
)
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize(
    ("ask", "state", "said"),
    [
        (operations.pause_task, TaskState.PAUSED, "pause"),
        (operations.cancel_task, TaskState.CANCELLED, "cancel"),
    ],
    ids=["pause", "cancel"],
)
def test_a_task_that_is_asked_during_a_stage_stops_after_it(
    sandbox: Sandbox,
    interruptions: Interruptions,
    stage: str,
    ask: Callable[..., Task],
    state: str,
    said: str,
) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED, lambda e: ask(task_of(e), OPERATOR, reason="wait"), stage=stage
    )
    switched_plan()
    work_off()
    task = Task.objects.get()
    done = STAGES.index(stage) + 1
    assert (task.state, task.cursor, task.admitted, task.lease_owner) == (state, done, False, "")
    assert task.checkpoint == {
        "step": CHECKPOINTS[done - 1],
        "data": {"completedSteps": list(STAGES[:done]), "failedStep": None},
    }
    assert task.control == Control.NONE
    assert states(StageRun) == [StageRunState.COMPLETED] * done
    asked = Event.objects.get(kind=f"task.{said}_requested")
    obeyed = Event.objects.get(kind=f"task.{state.lower()}")
    assert asked.actor == obeyed.actor == "olga"
    assert asked.reason == obeyed.reason == "wait"
    assert (obeyed.from_state, obeyed.to_state, obeyed.epoch) == ("RUNNING", state, 1)
    assert place(sandbox) == PLACES[stage]


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_a_paused_task_goes_on_where_it_stood(
    sandbox: Sandbox, interruptions: Interruptions, stage: str
) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: operations.pause_task(task_of(e), OPERATOR),
        stage=stage,
    )
    switched_plan()
    work_off()
    assert Plan.objects.get().state == PlanState.RUNNING
    operations.resume_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert states(Task) == [TaskState.COMPLETED]
    assert states(Plan) == [PlanState.COMPLETED]
    assert states(StageRun) == [StageRunState.COMPLETED] * len(STAGES)
    assert writes(sandbox) == [("gateway.put_route", "green"), ("ob.put_status", "green")]


@pytest.mark.parametrize("ask", [operations.pause_task, operations.cancel_task])
def test_a_task_that_is_asked_during_its_last_stage_completes(
    sandbox: Sandbox, interruptions: Interruptions, ask: Callable[..., Task]
) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED, lambda e: ask(task_of(e), OPERATOR), stage="update_status"
    )
    switched_plan()
    work_off()
    assert interruptions.all_happened
    task = Task.objects.get()
    assert (task.state, task.control) == (TaskState.COMPLETED, Control.NONE)
    assert states(Plan) == [PlanState.COMPLETED]
    assert place(sandbox) == ("green", "GREEN")


@pytest.mark.parametrize("ask", [operations.pause_task, operations.cancel_task])
def test_a_parked_task_stops_at_once_and_its_stage_run_is_closed(
    sandbox: Sandbox, interruptions: Interruptions, ask: Callable[..., Task]
) -> None:
    interruptions.at(EventKind.TASK_WAITING, lambda e: ask(task_of(e), OPERATOR))
    switched_plan(
        executor_type="BLUE_GREEN_SWITCH_WITH_SOAK", parameters={"soak": {"seconds": 3600}}
    )
    work_off()
    task = Task.objects.get()
    assert task.state == {"p": "PAUSED", "c": "CANCELLED"}[ask.__name__[0]]
    assert (task.wake_at, task.wait_note, task.memo) == (None, None, {})
    soak = StageRun.objects.get(stage="soak")
    assert soak.state == StageRunState.SKIPPED
    assert soak.finished_at
    assert not Event.objects.filter(kind__contains="requested").exists()
    assert place(sandbox) == PLACES["switch_route"]


def test_a_resumed_soak_begins_anew(sandbox: Sandbox, interruptions: Interruptions) -> None:
    interruptions.at(EventKind.TASK_WAITING, lambda e: operations.pause_task(task_of(e), OPERATOR))
    switched_plan(
        executor_type="BLUE_GREEN_SWITCH_WITH_SOAK", parameters={"soak": {"seconds": 1.0}}
    )
    work_off()
    operations.resume_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert states(Task) == [TaskState.COMPLETED]
    soaks = StageRun.objects.filter(stage="soak").values_list("attempt", "state")
    assert list(soaks) == [(1, StageRunState.SKIPPED), (2, StageRunState.COMPLETED)]


@pytest.mark.parametrize("ask", [operations.pause_task, operations.cancel_task])
def test_a_task_between_two_short_polls_stops_soon(
    sandbox: Sandbox, interruptions: Interruptions, ask: Callable[..., Task]
) -> None:
    sandbox.add_fault(TENANT, "instance.health", "unhealthy")
    interruptions.at(
        EventKind.STAGE_STARTED, lambda e: ask(task_of(e), OPERATOR), stage="check_health"
    )
    switched_plan(parameters={"check_health": {"interval_seconds": 0.05, "attempts": 1000}})
    with beating():
        work_off()
    assert not Event.objects.filter(kind=EventKind.TASK_TAKEN_OVER).exists()
    assert states(Task) == [{"p": "PAUSED", "c": "CANCELLED"}[ask.__name__[0]]]
    assert no_stage_run_is_open()


@pytest.mark.parametrize("delay", [0.01, 1.0], ids=["in the thread", "parked"])
@pytest.mark.parametrize("ask", [operations.pause_task, operations.cancel_task])
def test_a_task_that_is_asked_while_a_try_fails_stops_before_the_next_try(
    sandbox: Sandbox,
    interruptions: Interruptions,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[..., Task],
    delay: float,
) -> None:
    monkeypatch.setattr(Stage, "retry", RetryPolicy(first_seconds=delay))
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=503)
    interruptions.at(
        EventKind.STAGE_STARTED, lambda e: ask(task_of(e), OPERATOR), stage="switch_route"
    )
    switched_plan()
    work_off()
    task = Task.objects.get()
    assert task.state == {"p": "PAUSED", "c": "CANCELLED"}[ask.__name__[0]]
    assert task.cursor == 3
    run = StageRun.objects.get(stage="switch_route")
    assert (run.state, run.failure["errorCode"]) == (StageRunState.FAILED, "GATEWAY_UNAVAILABLE")
    assert Event.objects.filter(kind=EventKind.STAGE_FAILED).count() == 1
    assert place(sandbox) == ("blue", "BLUE")


def test_a_task_that_is_asked_between_a_failed_try_and_the_next_stops(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=503)
    interruptions.at(EventKind.STAGE_FAILED, lambda e: operations.pause_task(task_of(e), OPERATOR))
    switched_plan()
    work_off()
    assert states(Task) == [TaskState.PAUSED]
    assert no_stage_run_is_open()
    sandbox.clear_faults()
    operations.resume_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert states(Task) == [TaskState.COMPLETED]


def test_a_failure_is_told_though_a_pause_was_asked(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=400)
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: operations.pause_task(task_of(e), OPERATOR),
        stage="switch_route",
    )
    switched_plan()
    work_off()
    task = Task.objects.get()
    assert (task.state, task.control) == (TaskState.FAILED, Control.NONE)
    assert no_stage_run_is_open()


def test_resume_takes_back_a_pause_that_is_not_obeyed_yet(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    def pause_and_resume(event: Event) -> None:
        operations.pause_task(task_of(event), OPERATOR)
        operations.resume_task(task_of(event), OPERATOR, reason="never mind")

    interruptions.at(EventKind.STAGE_STARTED, pause_and_resume, stage="switch_route")
    switched_plan()
    work_off()
    assert states(Task) == [TaskState.COMPLETED]
    resumed = Event.objects.get(kind=EventKind.TASK_RESUMED)
    assert (resumed.actor, resumed.reason, resumed.to_state) == ("olga", "never mind", "")
    assert not Event.objects.filter(kind=EventKind.TASK_PAUSED).exists()


def test_resuming_the_plan_takes_back_pauses_that_are_not_obeyed_yet(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    def pause_and_resume(event: Event) -> None:
        assert event.plan_id
        operations.pause_plan(event.plan_id, OPERATOR)
        operations.resume_plan(event.plan_id, OPERATOR)

    interruptions.at(EventKind.STAGE_STARTED, pause_and_resume, stage="switch_route")
    switched_plan(3)
    work_off()
    assert states(Task) == [TaskState.COMPLETED] * 3
    assert states(Plan) == [PlanState.COMPLETED]


def test_a_cancel_is_not_weakened_to_a_pause(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    def cancel_then_pause(event: Event) -> None:
        assert event.plan_id
        operations.cancel_task(task_of(event), OPERATOR)
        with pytest.raises(IllegalTransition):
            operations.pause_task(task_of(event), OPERATOR)
        operations.pause_plan(event.plan_id, OPERATOR)

    interruptions.at(EventKind.STAGE_STARTED, cancel_then_pause, stage="deliver_config")
    switched_plan()
    work_off()
    assert states(Task) == [TaskState.CANCELLED]
    assert not Event.objects.filter(kind=EventKind.TASK_PAUSE_REQUESTED).exists()


def test_a_cancel_overrides_a_pause_that_is_not_obeyed_yet(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    def pause_then_cancel(event: Event) -> None:
        operations.pause_task(task_of(event), OPERATOR)
        operations.cancel_task(task_of(event), OPERATOR)

    interruptions.at(EventKind.STAGE_STARTED, pause_then_cancel, stage="deliver_config")
    switched_plan()
    work_off()
    assert states(Task) == [TaskState.CANCELLED]


def test_a_cancelled_task_has_an_end(sandbox: Sandbox, interruptions: Interruptions) -> None:
    interruptions.at(
        EventKind.STAGE_STARTED,
        lambda e: operations.cancel_task(task_of(e), OPERATOR),
        stage="deliver_config",
    )
    plan = switched_plan(2, max_concurrency=1)
    operations.cancel_task(Task.objects.get(tenant="tenant-002").pk, OPERATOR)
    work_off()
    assert states(Task) == [TaskState.CANCELLED] * 2
    assert not Task.objects.filter(plan=plan, finished_at=None).exists()
