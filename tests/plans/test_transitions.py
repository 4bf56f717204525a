"""Every state × every verb, against the table of the specification (S2.1 to S2.4)."""

from typing import Any

import pytest

from plans import operations
from plans.errors import IllegalTransition
from plans.events import describe, run_transition
from plans.models import (
    Event,
    EventKind,
    Plan,
    PlanState,
    StageRun,
    StageRunState,
    Task,
    TaskState,
)
from plans.verbs import words_of
from tests.plans.rows import PREVIOUS, everything, make_rows
from tests.support.driving import OPERATOR

Table = dict[str, tuple[set[str], str]]
"""By verb: the states that allow it, and the one that it leads to."""

PLAN_TABLE: Table = {
    "start": ({"CREATED"}, "RUNNING"),
    "pause": ({"RUNNING"}, "PAUSED"),
    "resume": ({"PAUSED"}, "RUNNING"),
    "cancel": ({"CREATED", "RUNNING", "PAUSED"}, "CANCELLED"),
    "complete": ({"RUNNING"}, "COMPLETED"),
    "fail": ({"RUNNING"}, "FAILED"),
    "retry": ({"FAILED"}, "RUNNING"),
    "roll_back": (
        {"RUNNING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED", "ROLLBACK_FAILED"},
        "ROLLING_BACK",
    ),
    "finish_rollback": ({"ROLLING_BACK"}, "ROLLED_BACK"),
    "fail_rollback": ({"ROLLING_BACK"}, "ROLLBACK_FAILED"),
}
TASK_TABLE: Table = {
    "start": ({"PENDING"}, "RUNNING"),
    "pause": ({"RUNNING"}, "PAUSED"),
    "resume": ({"PAUSED"}, "RUNNING"),
    # What waits for its turn or stands still has no worker that could do the cancelling.
    "cancel": ({"PENDING", "RUNNING", "PAUSED"}, "CANCELLED"),
    "complete": ({"RUNNING"}, "COMPLETED"),
    "fail": ({"RUNNING"}, "FAILED"),
    "retry": ({"FAILED", "ROLLED_BACK"}, "RUNNING"),
    "roll_back": (
        {"COMPLETED", "FAILED", "PAUSED", "CANCELLED", "ROLLBACK_FAILED"},
        "ROLLING_BACK",
    ),
    "finish_rollback": ({"ROLLING_BACK"}, "ROLLED_BACK"),
    "fail_rollback": ({"ROLLING_BACK"}, "ROLLBACK_FAILED"),
}
STAGE_RUN_TABLE: Table = {
    "complete": ({"RUNNING"}, "COMPLETED"),
    "fail": ({"RUNNING"}, "FAILED"),
    "skip": ({"RUNNING"}, "SKIPPED"),
}


def cases(states: Any, table: Table) -> list[Any]:
    return [
        pytest.param(state, verb, target if state in sources else None, id=f"{state}-{verb}")
        for state in states.values
        for verb, (sources, target) in table.items()
    ]


def check(row: Any, verb: str, target: str | None) -> None:
    before = row.state
    if target:
        run_transition(row, verb)
        assert row.state == target
        return
    with pytest.raises(IllegalTransition) as refused:
        run_transition(row, verb)
    assert row.state == before
    said = refused.value.message.english
    assert said.startswith(describe(row).english)
    assert f"is {row.get_state_display()} " in said
    assert f"cannot {words_of(verb).english}" in said
    assert refused.value.status == 409


@pytest.mark.parametrize(("state", "verb", "target"), cases(PlanState, PLAN_TABLE))
def test_a_plan_changes_its_state_only_as_the_table_says(
    state: str, verb: str, target: str | None
) -> None:
    check(Plan(pk=7, name="Friday", state=state), verb, target)


@pytest.mark.parametrize(("state", "verb", "target"), cases(TaskState, TASK_TABLE))
def test_a_task_changes_its_state_only_as_the_table_says(
    state: str, verb: str, target: str | None
) -> None:
    task = Task(pk=9, tenant_id="tenant-001", state=state, reached=1, previous=PREVIOUS)
    check(task, verb, target)


@pytest.mark.parametrize(("state", "verb", "target"), cases(StageRunState, STAGE_RUN_TABLE))
def test_a_stage_run_changes_its_state_only_as_the_table_says(
    state: str, verb: str, target: str | None
) -> None:
    check(StageRun(pk=3, state=state), verb, target)


@pytest.mark.parametrize("changed", [{"reached": 0}, {"previous": None}])
@pytest.mark.parametrize("state", sorted(TASK_TABLE["roll_back"][0]))
def test_a_task_that_changed_nothing_cannot_roll_back(state: str, changed: dict[str, Any]) -> None:
    fields = {"reached": 2, "previous": PREVIOUS, **changed}
    check(Task(pk=9, tenant_id="tenant-001", state=state, **fields), "roll_back", None)


@pytest.mark.parametrize("row", [Plan(), Task(), StageRun()])
def test_a_state_cannot_be_assigned(row: Any) -> None:
    with pytest.raises(AttributeError):
        row.state = "COMPLETED"


# --- Through the facade --------------------------------------------------------------------

TASK_OPERATIONS = {
    "pause": (operations.pause_task, EventKind.TASK_PAUSED),
    "resume": (operations.resume_task, EventKind.TASK_RESUMED),
    "cancel": (operations.cancel_task, EventKind.TASK_CANCELLED),
    "retry": (operations.retry_task, EventKind.TASK_RETRY_STARTED),
    "roll_back": (operations.roll_back_task, EventKind.TASK_ROLLING_BACK),
}
PLAN_OPERATIONS = {
    "start": (operations.start_plan, EventKind.PLAN_STARTED),
    "pause": (operations.pause_plan, EventKind.PLAN_PAUSED),
    "resume": (operations.resume_plan, EventKind.PLAN_RESUMED),
    "cancel": (operations.cancel_plan, EventKind.PLAN_CANCELLED),
    "retry": (operations.retry_plan, EventKind.PLAN_RETRIED),
    "roll_back": (operations.roll_back_plan, EventKind.PLAN_ROLLING_BACK),
}


def asked(table: Table, verbs: Any) -> Table:
    return {verb: table[verb] for verb in verbs}


def check_operation(
    row: Any, operation: Any, kind: EventKind, verb: str, target: str | None
) -> None:
    before = everything()
    if target is None:
        with pytest.raises(IllegalTransition) as refused:
            operation(row.pk, OPERATOR, reason="because")
        said = refused.value.message.english
        assert said.startswith(describe(row).english)
        assert f"is {row.get_state_display()} " in said
        assert f"cannot {words_of(verb).english}" in said
        assert everything() == before
        return
    operation(row.pk, OPERATOR, reason="because")
    event = Event.objects.get(kind=kind)
    assert (event.from_state, event.to_state) == (row.state, target)
    assert (event.actor, event.reason) == ("olga", "because")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "verb", "target"), cases(TaskState, asked(TASK_TABLE, TASK_OPERATIONS))
)
def test_an_operation_on_a_task_is_done_with_its_event_or_refused_without_a_trace(
    state: str, verb: str, target: str | None
) -> None:
    _, [task] = make_rows("RUNNING", state)
    check_operation(task, *TASK_OPERATIONS[verb], verb, target)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "verb", "target"), cases(PlanState, asked(PLAN_TABLE, PLAN_OPERATIONS))
)
def test_an_operation_on_a_plan_is_done_with_its_event_or_refused_without_a_trace(
    state: str, verb: str, target: str | None
) -> None:
    plan, _ = make_rows(state, "COMPLETED")
    check_operation(plan, *PLAN_OPERATIONS[verb], verb, target)
