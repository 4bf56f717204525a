"""Whatever is changed past Bluegreen shows when the journals are verified."""

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from plans import audit, events, operations
from plans.errors import ValidationFailed
from plans.models import Event, EventKind, Journal, Plan
from tests.audit.past import sql
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """A plan of two tenants with more than ten events, and a refusal in the installation's."""
    plan = make_plan(["tenant-001", "tenant-002"])
    operations.start_plan(plan.pk, OPERATOR, reason="“Los!” 开始 \x00 \ud800")
    work_off()
    with pytest.raises(ValidationFailed):
        make_plan(["no such tenant"])
    return Plan.objects.select_related("journal").get(pk=plan.pk)


def broken_at(plan: Plan) -> list[tuple[str, int]]:
    return [(broken.journal, broken.seq) for broken in audit.verify().broken]


def edit(plan: Plan) -> None:
    sql("UPDATE plans_event SET actor = 'somebody else' WHERE plan_id = %s AND seq = 4", plan.pk)


def edit_data(plan: Plan) -> None:
    sql("UPDATE plans_event SET data = '{\"n\": 1}' WHERE plan_id = %s AND seq = 4", plan.pk)


def edit_time(plan: Plan) -> None:
    at = Event.objects.get(plan=plan, seq=4).at
    moved = at.replace(microsecond=(at.microsecond + 1) % 1_000_000)
    sql("UPDATE plans_event SET at = %s WHERE plan_id = %s AND seq = 4", str(moved), plan.pk)


def edit_and_rehash(plan: Plan) -> None:
    edit(plan)
    event = Event.objects.get(plan=plan, seq=4)
    before = Event.objects.get(plan=plan, seq=3)
    sql("UPDATE plans_event SET hash = %s WHERE id = %s", event.chained_hash(before.hash), event.pk)


def remove(plan: Plan) -> None:
    sql("DELETE FROM plans_event WHERE plan_id = %s AND seq = 4", plan.pk)


def remove_and_close_up(plan: Plan) -> None:
    remove(plan)
    for seq in range(5, plan.journal.last_seq + 1):
        sql(
            "UPDATE plans_event SET seq = %s WHERE plan_id = %s AND seq = %s", seq - 1, plan.pk, seq
        )
    sql("UPDATE plans_journal SET last_seq = last_seq - 1 WHERE id = %s", plan.journal_id)


def swap(plan: Plan) -> None:
    for before, after in ((4, 999), (5, 4), (999, 5)):
        sql(
            "UPDATE plans_event SET seq = %s WHERE plan_id = %s AND seq = %s",
            after,
            plan.pk,
            before,
        )


def insert(plan: Plan) -> None:
    for seq in range(plan.journal.last_seq, 3, -1):
        sql(
            "UPDATE plans_event SET seq = %s WHERE plan_id = %s AND seq = %s", seq + 1, plan.pk, seq
        )
    copy_event(plan, 3, 4)
    sql("UPDATE plans_journal SET last_seq = last_seq + 1 WHERE id = %s", plan.journal_id)


def move_to_another_plan(plan: Plan) -> None:
    other = make_plan(["tenant-009"])
    sql("UPDATE plans_event SET plan_id = %s WHERE plan_id = %s AND seq = 4", other.pk, plan.pk)


def empty_the_journal(plan: Plan) -> None:
    sql("DELETE FROM plans_event WHERE plan_id = %s", plan.pk)
    sql(
        "UPDATE plans_journal SET last_seq = 0, last_hash = %s WHERE id = %s",
        "0" * 64,
        plan.journal_id,
    )


def copy_event(plan: Plan, seq: int, to_seq: int) -> None:
    columns = [f.column for f in Event._meta.concrete_fields if f.column not in ("id", "seq")]
    names = ", ".join(f'"{column}"' for column in columns)
    sql(
        f"INSERT INTO plans_event (seq, {names})"
        f" SELECT %s, {names} FROM plans_event WHERE plan_id = %s AND seq = %s",
        to_seq,
        plan.pk,
        seq,
    )


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        (edit, 4),
        (edit_data, 4),
        (edit_time, 4),
        (edit_and_rehash, 5),
        (remove, 4),
        (remove_and_close_up, 4),
        (swap, 4),
        (insert, 4),
        (move_to_another_plan, 4),
        (empty_the_journal, 1),
    ],
)
def test_tampering_shows_at_the_first_row_that_it_touched(
    plan: Plan, tamper: Callable[[Plan], None], seq: int
) -> None:
    assert broken_at(plan) == []
    tamper(plan)
    assert broken_at(plan) == [(f"plan:{plan.pk}", seq)]


def test_a_cut_end_and_a_changed_head_show(plan: Plan) -> None:
    name, last = plan.journal.name, plan.journal.last_seq
    sql("UPDATE plans_journal SET last_seq = last_seq - 1 WHERE id = %s", plan.journal_id)
    assert broken_at(plan) == [(name, last - 1)]
    sql("UPDATE plans_journal SET last_seq = last_seq + 2 WHERE id = %s", plan.journal_id)
    assert broken_at(plan) == [(name, last + 1)]
    sql("UPDATE plans_journal SET last_seq = last_seq - 1 WHERE id = %s", plan.journal_id)
    assert broken_at(plan) == []
    sql("DELETE FROM plans_event WHERE plan_id = %s AND seq = %s", plan.pk, last)
    assert broken_at(plan) == [(name, last)]


def test_an_event_that_was_added_at_the_end_shows(plan: Plan) -> None:
    last = plan.journal.last_seq
    copy_event(plan, 3, last + 1)
    assert broken_at(plan) == [(plan.journal.name, last + 1)]


def test_a_column_that_cannot_be_read_shows_as_its_row(plan: Plan) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite stores a text in a column for times")
    sql("UPDATE plans_event SET at = 'noon' WHERE plan_id = %s AND seq = 4", plan.pk)
    assert broken_at(plan) == [(plan.journal.name, 4)]


def test_a_refusal_is_in_the_chain_of_the_installation(plan: Plan) -> None:
    refusals = Event.objects.filter(plan=None)
    assert [event.kind for event in refusals] == [
        EventKind.PLAN_REFUSED,
        EventKind.TASK_VALIDATION_FAILED,
    ]
    sql("UPDATE plans_event SET reason = '' WHERE id = %s", refusals[1].pk)
    assert broken_at(plan) == [("installation", 2)]


@pytest.mark.parametrize(
    "data",
    [
        {"whole": 1.0, "fraction": 0.1, "tiny": 5e-324, "small": 1e-7, "big": 2**70},
        {"exponent": 1e16, "huge": 1.7976931348623157e308, "negative": -1e22, "zero": -0.0},
        {"nan": float("nan"), "infinite": float("-inf")},
        {10: "ten", 9: "nine", True: "yes", None: "none"},
        {"NUL \x00": "half \ud83d", "纸": "🙂 \u202e <b>'\"\\", "": ["", {}, [], None, False]},
        {"tuple": (1, (2, 3)), "state": EventKind.TASK_FAILED},
    ],
)
def test_what_is_recorded_comes_back_with_the_same_hash(plan: Plan, data: dict[Any, Any]) -> None:
    with events.record(plan, OPERATOR) as record:
        record.note(EventKind.TASK_PROGRESS, data=data, reason=f"{data}")
    assert audit.verify(plan.pk).broken == []


def test_events_that_come_during_the_verification_are_no_break(plan: Plan) -> None:
    over = threading.Event()

    def write() -> None:
        try:
            while not over.is_set():
                with events.record(plan, OPERATOR) as record:
                    record.note(EventKind.TASK_PROGRESS)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    before = Event.objects.count()
    writer.start()
    try:
        while Event.objects.count() < before + 20:
            assert audit.verify().broken == []
    finally:
        over.set()
        writer.join()
    assert audit.verify().broken == []


def test_the_command_says_how_much_holds(plan: Plan) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == f"{Event.objects.count()} events in 2 journals hold.\n"
    out = StringIO()
    call_command("verify_audit", plan=plan.pk, stdout=out)
    journal = Journal.objects.get(pk=plan.journal_id)
    assert out.getvalue() == f"{journal.last_seq} events in 1 journal hold.\n"


def test_the_command_exits_with_1_and_names_the_row(plan: Plan) -> None:
    edit(plan)
    row = Event.objects.get(plan=plan, seq=4)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    assert out.getvalue().startswith(f"plan:{plan.pk}, event 4 (plans_event.id {row.pk}): Its")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", plan=10**6, stderr=(errors := StringIO()))
    assert ended.value.code == 1
    assert "There is no plan 1000000" in errors.getvalue()
