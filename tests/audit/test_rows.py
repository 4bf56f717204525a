"""Rows that were changed past Bluegreen show: their events say something else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans import audit, operations
from plans.actor import Actor, Permission
from plans.models import Event, Plan, Task, Wave
from tests.audit.past import sql, without_foreign_keys
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

PAULA = Actor("paula", frozenset(Permission))
"""Who approves."""


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """A plan of two waves whose gate was rejected once, and then approved by Paula."""
    waves = [{"size": 1, "approval": True}, {"rest": True}]
    plan = make_plan(["tenant-001", "tenant-002"], waves=waves)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    operations.reject_plan(plan.pk, PAULA, reason="wait")
    assert differing(plan) == []
    operations.resume_plan(plan.pk, OPERATOR)
    assert differing(plan) == []
    operations.approve_plan(plan.pk, PAULA)
    assert differing(plan) == []
    work_off()
    return Plan.objects.get(pk=plan.pk)


def differing(plan: Plan) -> list[str]:
    found = audit.verify().broken
    assert {broken.journal for broken in found} <= {f"plan:{plan.pk}"}
    return [broken.why.english for broken in found]


def first_task(plan: Plan) -> Task:
    return Task.objects.filter(plan=plan).order_by("position")[0]


def test_nothing_differs_whatever_was_done(plan: Plan) -> None:
    operations.roll_back_plan(plan.pk, OPERATOR)
    work_off()
    other = make_plan(["tenant-003"])
    operations.cancel_plan(other.pk, PAULA)
    assert audit.verify().broken == []


def test_a_tasks_state_is_what_its_last_event_says(plan: Plan) -> None:
    task = first_task(plan)
    sql("UPDATE plans_task SET state = 'FAILED' WHERE id = %s", task.pk)
    broken = audit.verify().broken
    assert [each.why.english for each in broken] == [
        f"The events say “COMPLETED”; plans_task.state of row {task.pk} is “FAILED”."
    ]
    last = Event.objects.filter(task=task).exclude(to_state="").latest("seq")
    assert (broken[0].journal, broken[0].seq) == (f"plan:{plan.pk}", last.seq)
    assert broken[0].event_id == last.pk


@pytest.mark.parametrize(
    ("change", "says", "now"),
    [
        ("state = 'RUNNING'", "COMPLETED", "plans_plan.state of row {0} is “RUNNING”"),
        ("created_by = 'rudi'", "olga", "plans_plan.created_by of row {0} is “rudi”"),
        ("started_by = ''", "olga", "plans_plan.started_by of row {0} is “”"),
    ],
)
def test_a_plans_state_and_people_are_what_its_events_say(
    plan: Plan, change: str, says: str, now: str
) -> None:
    sql(f"UPDATE plans_plan SET {change} WHERE id = %s", plan.pk)
    assert differing(plan) == [f"The events say “{says}”; {now.format(plan.pk)}."]


def test_a_plan_that_was_never_started_has_no_starter(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001"])
    sql("UPDATE plans_plan SET started_by = 'rudi' WHERE id = %s", plan.pk)
    assert differing(plan) == [
        f"The events say “”; plans_plan.started_by of row {plan.pk} is “rudi”."
    ]


@pytest.mark.parametrize(
    ("index", "change", "expected"),
    [
        (0, "decided_by = 'rudi'", [("paula", "decided_by", "rudi")]),
        (0, "decision = 'rejected'", [("approved", "decision", "rejected")]),
        (
            1,
            "decision = 'approved', decided_by = 'rudi'",
            [("", "decision", "approved"), ("", "decided_by", "rudi")],
        ),
    ],
)
def test_a_gates_decision_is_what_its_events_say(
    plan: Plan, index: int, change: str, expected: list[tuple[str, str, str]]
) -> None:
    wave = Wave.objects.get(plan=plan, index=index)
    sql(f"UPDATE plans_wave SET {change} WHERE id = %s", wave.pk)
    assert differing(plan) == [
        f"The events say “{told}”; plans_wave.{column} of row {wave.pk} is “{now}”."
        for told, column, now in expected
    ]


def test_a_task_that_is_gone_is_missed(plan: Plan) -> None:
    task = first_task(plan)
    with without_foreign_keys():
        sql("DELETE FROM plans_task WHERE id = %s", task.pk)
    broken = audit.verify().broken
    assert [each.why.english for each in broken] == [
        f"It created task {task.pk}, and this plan has no such task of tenant tenant-001."
    ]
    created = Event.objects.get(plan=plan, kind="task.created", tenant_id="tenant-001")
    assert (broken[0].seq, broken[0].event_id) == (created.seq, created.pk)


@pytest.mark.parametrize(
    "change", ["tenant_id = 'tenant-003'", "plan_id = (SELECT max(id) FROM plans_plan)"]
)
def test_a_task_of_another_tenant_or_plan_is_missed(plan: Plan, change: str) -> None:
    make_plan(["tenant-004"])
    task = first_task(plan)
    sql(f"UPDATE plans_task SET {change}, position = 7 WHERE id = %s", task.pk)
    assert f"It created task {task.pk}" in differing(plan)[0]


def test_a_task_that_was_put_in_shows(plan: Plan) -> None:
    task = first_task(plan)
    stranger = Task(pk=10**6, plan=plan, wave=task.wave, tenant=task.tenant, position=7)
    stranger.pipeline, stranger.target = task.pipeline, task.target
    stranger.save()
    assert differing(plan) == ["The events say “”; plans_task.state of row 1000000 is “PENDING”."]


def test_the_statements_do_not_grow_with_the_tasks(sandbox: Sandbox) -> None:
    few = make_plan(f"tenant-{number:03}" for number in range(1, 3))
    many = make_plan(f"tenant-{number:03}" for number in range(3, 43))
    counts = []
    for plan in (few, few, many):
        with CaptureQueriesContext(connection) as statements:
            assert audit.verify(plan.pk).broken == []
        counts.append(len(statements))
    assert counts[1] == counts[2]
