"""Replay: a plan as it was, told by its events alone (X4)."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans import operations
from plans.models import Event, Plan, Task, TaskState
from plans.queries import replay, wall
from plans.queries.condition import Condition
from plans.queries.replay import Moment, moment_at
from plans.queries.tally import Tally
from tests.plans.journals import assert_replay_shows_the_present
from tests.plans.switching import break_stage, switched_plan
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(plan: Plan) -> Plan:
    return Plan.objects.select_related("journal").get(pk=plan.pk)


def at(plan: Plan, **event: Any) -> Moment:
    """The moment of the first such event."""
    return moment_at(fresh(plan), Event.objects.filter(plan=plan, **event).earliest("seq").seq)


def states(moment: Moment) -> dict[str, int]:
    return {state: count for state, count in moment.tally.by_state.items() if count}


@pytest.fixture
def lived(sandbox: Sandbox) -> Plan:
    """A plan with a failure, a retry from the checkpoint and one from scratch, and rollbacks."""
    break_stage(sandbox, "switch_route", "tenant-002")
    break_stage(sandbox, "update_status", "tenant-003")
    plan = switched_plan(5, failure_policy="continue", waves=[{"size": 1}, {"rest": True}])
    work_off()
    sandbox.clear_faults()
    tasks = {task.tenant_id: task.pk for task in Task.objects.all()}
    operations.retry_task(tasks["tenant-002"], OPERATOR)
    work_off()
    operations.roll_back_task(tasks["tenant-003"], OPERATOR)
    operations.roll_back_task(tasks["tenant-001"], OPERATOR)
    work_off()
    operations.retry_task(tasks["tenant-003"], OPERATOR, from_checkpoint=False)
    break_stage(sandbox, "update_status", "tenant-003")
    work_off()
    break_stage(sandbox, "switch_route", "tenant-004")
    operations.roll_back_task(tasks["tenant-004"], OPERATOR)
    work_off()
    return plan


def test_the_last_moment_is_the_present(lived: Plan) -> None:
    assert Counter(Task.objects.values_list("state", flat=True)) == {
        TaskState.COMPLETED: 2,
        TaskState.ROLLED_BACK: 1,
        TaskState.FAILED: 1,
        TaskState.ROLLBACK_FAILED: 1,
    }
    assert_replay_shows_the_present(lived)
    operations.retry_plan(lived.pk, OPERATOR, from_checkpoint=False)
    operations.pause_plan(lived.pk, OPERATOR)
    assert_replay_shows_the_present(lived)


def test_each_moment_follows_from_the_one_before(lived: Plan) -> None:
    """What the events of a single step do not touch is as it was."""
    plan = fresh(lived)
    before = moment_at(plan, 1)
    for seq in range(before.seq + 1, before.last + 1):
        moment = moment_at(plan, seq)
        event = moment.event
        assert event is not None
        changed = {
            new.task_id
            for old, new in zip(before.standings, moment.standings, strict=True)
            if old != new
        }
        assert changed <= {event.task_id}
        told = next((s for s in moment.standings if s.task_id == event.task_id), None)
        if told is not None and event.to_state:
            assert told.state == event.to_state
        before = moment


def test_the_wall_shows_who_was_where(lived: Plan) -> None:
    def cell(moment: Moment, tenant: str) -> wall.WallRow:
        return next(row for row in replay.wall_rows(moment) if row.tenant_id == tenant)

    start = moment_at(fresh(lived), 0)
    assert start.seq == start.first == 1 + 2 * 5
    assert states(start) == {"PENDING": 5}
    assert (cell(start, "tenant-001").environment, cell(start, "tenant-001").between) == (
        "blue",
        False,
    )
    switching = at(lived, tenant_id="tenant-001", kind="stage.started", data__stage="switch_route")
    assert cell(switching, "tenant-001").between
    assert cell(switching, "tenant-001").condition == Condition.RUNNING
    done = at(lived, tenant_id="tenant-001", kind="task.completed")
    assert cell(done, "tenant-001")[3:] == ("green", "COMPLETED", Condition.COMPLETED, False)
    failed = at(lived, tenant_id="tenant-002", kind="task.failed")
    assert cell(failed, "tenant-002")[3:] == ("blue", "FAILED", Condition.FAILED, True)
    back = at(lived, tenant_id="tenant-001", kind="task.rolled_back")
    assert cell(back, "tenant-001")[3:] == ("blue", "ROLLED_BACK", Condition.ROLLED_BACK, False)


def test_the_counts_and_the_plans_state_are_those_of_the_moment(lived: Plan) -> None:
    created = moment_at(fresh(lived), 0)
    assert (created.state, created.seconds) == ("CREATED", None)
    started = at(lived, kind="wave.started")
    assert started.state == "RUNNING"
    assert started.seconds is not None
    second = at(lived, kind="wave.completed")
    assert states(second) == {"PENDING": 4, "COMPLETED": 1}
    ended = at(lived, kind="plan.failed")
    assert ended.state == "FAILED"
    assert states(ended) == {"COMPLETED": 3, "FAILED": 2}


def test_a_moment_that_is_not_there_is_the_nearest(lived: Plan) -> None:
    plan = fresh(lived)
    last = plan.journal.last_seq
    assert moment_at(plan, None).seq == last
    assert moment_at(plan, 10**17).seq == last
    assert moment_at(plan, 10**17).next == last
    assert moment_at(plan, 3).previous == moment_at(plan, 3).seq == 11


def test_the_statements_do_not_grow_with_the_events(lived: Plan) -> None:
    plan = fresh(lived)
    replay.wall_rows(moment_at(plan, None))  # What a process asks once is not counted.
    counts = []
    for seq in (11, 40, None):
        with CaptureQueriesContext(connection) as queries:
            moment = moment_at(plan, seq)
            replay.wall_rows(moment)
            assert moment.tally.total == 5
        counts.append(len(queries))
    assert max(counts) <= 6


def test_a_plan_without_a_stage_that_settles_moves_nobody(sandbox: Sandbox) -> None:
    plan = switched_plan(2)
    work_off()
    Task.objects.update(pipeline=[{"name": "switch_route", "params": {}}])
    assert {each.environment for each in moment_at(fresh(plan), None).standings} == {"blue"}
    assert Tally.of(plan).total == 2
