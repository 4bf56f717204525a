"""Failures by their fingerprint, and one decision for a group of them."""

import re

import pytest
from django.db import OperationalError
from django.test import Client

from plans import operations
from plans.actor import Actor
from plans.models import Event, EventKind, Plan, PlanState, Task, TaskState
from plans.queries.failures import failure_groups
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, FAILURE, MakePlan, stand

OTHER = FAILED_FIELDS | {"failure": FAILURE | {"errorCode": "GATEWAY_REJECTED"}, "reached": 2}
GROUP = "stage=switch_route&code=GATEWAY_TIMEOUT"


@pytest.fixture
def plan(make_plan: MakePlan) -> Plan:
    """Of nine tenants four failed one way, two another, one was rolled back, two have not begun."""
    plan = make_plan(9)
    operations.start_plan(plan.pk, OPERATOR)
    tasks = list(Task.objects.filter(plan=plan))
    stand(tasks[:3], TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    stand(tasks[3:4], TaskState.ROLLBACK_FAILED, admitted=False, **FAILED_FIELDS)
    stand(tasks[4:6], TaskState.FAILED, admitted=False, **OTHER)
    stand(tasks[6:7], TaskState.ROLLED_BACK, admitted=False, **FAILED_FIELDS | {"reached": 0})
    stand(tasks[7:], TaskState.PENDING, admitted=False)
    return Plan.objects.get(pk=plan.pk)


def test_a_group_has_one_stage_and_one_code_and_says_what_may_have_moved(plan: Plan) -> None:
    first, second = failure_groups(plan)
    assert (first.stage, first.code, first.count) == ("switch_route", "GATEWAY_TIMEOUT", 5)
    assert (first.failed, first.retryable, first.undoable, first.moved) == (3, 4, 4, 4)
    assert (second.code, second.count, second.moved) == ("GATEWAY_REJECTED", 2, 0)


def test_the_page_offers_three_decisions_for_a_group(operator: Client, plan: Plan) -> None:
    text = operator.get(f"/plans/{plan.pk}/").text
    assert "Continue 3 from their checkpoint" in text
    assert "Start 4 over" in text
    assert "Roll 4 back" in text
    assert "The traffic of 4 of them may have moved." in text


def test_of_a_single_tenant_the_page_speaks_in_the_singular(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(1)
    stand(Task.objects.filter(plan=plan), TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    assert "Its traffic may have moved." in operator.get(f"/plans/{plan.pk}/").text


def test_a_plan_that_takes_no_retry_offers_none(operator: Client, plan: Plan) -> None:
    operations.pause_plan(plan.pk, OPERATOR)
    text = operator.get(f"/plans/{plan.pk}/").text
    assert "from their checkpoint" not in text
    assert "Roll 4 back" in text


def confirmed(client: Client, plan: Plan, verb: str, query: str) -> str:
    return client.get(f"/plans/{plan.pk}/tasks/{verb}/?scope=all&{query}").text


def pinned(text: str) -> dict[str, str]:
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
    return {name: found[name] for name in ("selection", "from_checkpoint") if name in found}


def retried() -> list[tuple[bool, int]]:
    """Of every retry whether it is from the checkpoint, and how many stages stand finished."""
    events = Event.objects.filter(kind=EventKind.TASK_RETRY_STARTED).select_related("task")
    return [(e.data["fromCheckpoint"], e.task.cursor) for e in events if e.task is not None]


def test_continuing_takes_up_exactly_the_failed_ones_of_the_group(
    operator: Client, plan: Plan
) -> None:
    text = confirmed(operator, plan, "retry", f"{GROUP}&state=FAILED&from_checkpoint=1")
    assert "Continue from the checkpoint: 3 tasks selected" in text
    assert "3 tenants are tried again towards green, at most 10 at once." in text
    assert "switch route (3)" in text
    assert "tenant-0001, tenant-0002, tenant-0003" in text
    answer = operator.post(f"/plans/{plan.pk}/tasks/retry/", pinned(text))
    assert "3 done, 0 skipped, 0 failed" in answer.text
    assert retried() == [(True, 3)] * 3
    assert Task.objects.filter(state=TaskState.FAILED).count() == 2


def test_starting_over_takes_up_what_was_rolled_back_too(operator: Client, plan: Plan) -> None:
    text = confirmed(operator, plan, "retry", f"{GROUP}&from_checkpoint=0")
    assert "Start over: 5 tasks selected" in text
    assert "1 other is in a state that does not allow it, and is left alone." in text
    operator.post(f"/plans/{plan.pk}/tasks/retry/", pinned(text))
    assert retried() == [(False, 0)] * 4


def test_a_rollback_says_where_to_and_whose_traffic(operator: Client, plan: Plan) -> None:
    text = confirmed(operator, plan, "rollback", "stage=switch_route")
    assert "6 tenants go back to blue." in text
    assert "Traffic moves back for 4 of them." in text
    assert "2 have not moved their traffic" in text
    operator.post(f"/plans/{plan.pk}/tasks/rollback/", pinned(text))
    assert Task.objects.filter(state=TaskState.ROLLING_BACK).count() == 6


def test_cancelling_tells_the_pending_from_those_under_way(operator: Client, plan: Plan) -> None:
    stand(Task.objects.filter(plan=plan, position=8), TaskState.PAUSED)
    text = confirmed(operator, plan, "cancel", "")
    assert "1 pending never begins." in text
    assert "1 under way stops at its next stage boundary" in text
    assert "7 others are in a state" in text


def test_what_moved_on_in_between_is_skipped_and_named(operator: Client, plan: Plan) -> None:
    text = confirmed(operator, plan, "retry", f"{GROUP}&state=FAILED&from_checkpoint=1")
    stand(Task.objects.filter(plan=plan, position=1), TaskState.COMPLETED)
    answer = operator.post(f"/plans/{plan.pk}/tasks/retry/", pinned(text)).text
    assert "2 done, 1 skipped, 0 failed" in answer
    skipped = answer[answer.index("<h3>Skipped</h3>") : answer.index("<h3>Done</h3>")]
    assert "tenant-0002" in skipped
    assert "has changed since you looked" in skipped


def test_a_failed_plan_says_that_it_runs_again(operator: Client, plan: Plan) -> None:
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.FAILED)
    text = confirmed(operator, plan, "retry", f"{GROUP}&state=FAILED&from_checkpoint=1")
    assert "Its plan, which is failed, runs again for them" in text


def test_a_viewer_sees_the_groups_and_decides_nothing(viewer: Client, plan: Plan) -> None:
    text = confirmed(viewer, plan, "retry", f"{GROUP}&state=FAILED&from_checkpoint=1")
    assert viewer.post(f"/plans/{plan.pk}/tasks/retry/", pinned(text)).status_code == 403
    assert Task.objects.filter(state=TaskState.FAILED).count() == 5


def test_trouble_with_the_database_fails_one_and_stops_nothing() -> None:
    def operation(task_id: int, actor: Actor) -> None:
        if task_id == 2:
            raise OperationalError("database is locked")

    results = operations.for_each([1, 2, 3], operation, OPERATOR)
    assert results.done == [1, 3]
    assert [task_id for task_id, _ in results.failed] == [2]
    assert "could not store" in results.failed[0][1].english
