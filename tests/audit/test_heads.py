"""Who recomputes a whole chain is found out by the heads that were exported before."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from plans import audit, events, operations
from plans.errors import ValidationFailed
from plans.models import Event, EventKind, Journal, Plan
from plans.models.journal import GENESIS
from tests.audit.past import sql
from tests.support.driving import OPERATOR, make_plan

pytestmark = pytest.mark.django_db

CREATED_WITH = 5
"""Events of the creation of a plan of two tenants."""


@pytest.fixture
def plan(sandbox: object) -> Plan:
    """A plan with some events, and a refusal in the journal of the installation."""
    plan = make_plan(["tenant-001", "tenant-002"])
    operations.start_plan(plan.pk, OPERATOR)
    with pytest.raises(ValidationFailed):
        make_plan(["no such tenant"])
    return Plan.objects.select_related("journal").get(pk=plan.pk)


@pytest.fixture
def export(plan: Plan, tmp_path: Path) -> Path:
    """What was exported in time."""
    file = tmp_path / "heads.json"
    call_command("verify_audit", export=file, stdout=StringIO())
    return file


def verified(**options: Any) -> tuple[int, list[str]]:
    """The command's exit code, and the lines that it printed."""
    out, code = StringIO(), 0
    try:
        call_command("verify_audit", stdout=out, stderr=out, **options)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue().splitlines()


def rewrite(plan: Plan) -> None:
    """Change an event, and make every hash after it, and the head, fit: nothing shows."""
    sql("UPDATE plans_event SET actor = 'nobody' WHERE plan_id = %s AND seq = 2", plan.pk)
    close(plan)


def cut(plan: Plan) -> None:
    """As if it had never been started: for that no hash is computed anew."""
    sql("DELETE FROM plans_event WHERE plan_id = %s AND seq > %s", plan.pk, CREATED_WITH)
    last = Event.objects.get(plan=plan, seq=CREATED_WITH).hash
    head = "UPDATE plans_journal SET last_seq = %s, last_hash = %s WHERE id = %s"
    sql(head, CREATED_WITH, last, plan.journal_id)
    sql("UPDATE plans_plan SET state = 'CREATED', started_by = '' WHERE id = %s", plan.pk)
    sql("UPDATE plans_task SET state = 'PENDING' WHERE plan_id = %s", plan.pk)


def cut_and_go_on(plan: Plan) -> None:
    cut(plan)
    for _time in range(20):
        with events.record(plan, OPERATOR) as record:
            record.note(EventKind.TASK_PROGRESS)


def close(plan: Plan) -> None:
    last_seq, last_hash = 0, GENESIS
    for event in Event.objects.filter(plan=plan).order_by("seq"):
        last_seq, last_hash = event.seq, event.chained_hash(last_hash)
        sql("UPDATE plans_event SET hash = %s WHERE id = %s", last_hash, event.pk)
    head = "UPDATE plans_journal SET last_seq = %s, last_hash = %s WHERE id = %s"
    sql(head, last_seq, last_hash, plan.journal_id)


def test_an_export_names_every_journal_its_end_and_when_that_was(plan: Plan, export: Path) -> None:
    told = json.loads(export.read_text())
    assert set(told) == {"format", "exported_at", "journals"}
    heads = {head["journal"]: head for head in told["journals"]}
    assert set(heads) == {"installation", plan.journal.name}
    last = Event.objects.filter(plan=plan).latest("seq")
    head = heads[plan.journal.name]
    assert (head["seq"], head["hash"]) == (last.seq, last.hash)
    assert head["at"].startswith(last.at.isoformat()[:19])


def test_what_was_exported_is_still_there_after_more_has_happened(plan: Plan, export: Path) -> None:
    operations.pause_plan(plan.pk, OPERATOR)
    later = make_plan(["tenant-009"])
    code, lines = verified(heads=export)
    assert code == 0
    assert lines[0] == "2 exported heads are still a part of their journals."
    assert verified(heads=export, plan=plan.pk)[1][0].startswith("1 exported head is still")
    # A plan that is younger than the export has nothing to prove.
    assert verified(heads=export, plan=later.pk)[0] == 0


@pytest.mark.parametrize("tamper", [rewrite, cut, cut_and_go_on])
def test_a_chain_that_was_computed_anew_or_cut_is_found_out_by_its_head_alone(
    tamper: Callable[[Plan], None], plan: Plan, export: Path
) -> None:
    exported = plan.journal.last_seq
    tamper(plan)
    assert audit.verify().broken == []
    code, lines = verified(heads=export)
    assert code == 1
    where = CREATED_WITH + 1 if tamper is cut else exported
    assert lines[0].startswith(f"plan:{plan.pk}, event {where}")
    assert lines[-1] == "1 of 2 journals do not hold."


def test_a_plan_that_was_removed_with_all_that_tells_of_it_is_missed(
    plan: Plan, export: Path
) -> None:
    name, seq = plan.journal.name, plan.journal.last_seq
    for table in ("plans_event", "plans_task", "plans_wave"):
        sql(f"DELETE FROM {table} WHERE plan_id = %s", plan.pk)
    sql("DELETE FROM plans_plan WHERE id = %s", plan.pk)
    sql("DELETE FROM plans_journal WHERE id = %s", plan.journal_id)
    assert verified()[0] == 0
    code, lines = verified(heads=export)
    assert code == 1
    assert lines == [
        f"{name}, event {seq}: The journal is missing: it was exported with {seq} events.",
        "1 of 2 journals do not hold.",
    ]


def test_the_journal_of_the_installation_is_missed(plan: Plan, export: Path) -> None:
    sql("DELETE FROM plans_event WHERE plan_id IS NULL")
    sql("DELETE FROM plans_journal WHERE name = 'installation'")
    assert verified()[0] == 0
    code, lines = verified(heads=export)
    assert code == 1
    assert lines[0].startswith("installation, event 2: The journal is missing")


def test_a_broken_chain_is_not_exported_and_no_export_is_written_over(
    plan: Plan, export: Path, tmp_path: Path
) -> None:
    before = export.read_text()
    code, lines = verified(export=export)
    assert (code, export.read_text()) == (1, before)
    assert "File exists" in lines[0]
    sql("UPDATE plans_event SET actor = 'nobody' WHERE plan_id = %s AND seq = 2", plan.pk)
    another = tmp_path / "another.json"
    assert verified(export=another)[0] == 1
    assert not another.exists()


GOOD = {"journal": "plan:1", "seq": 1, "hash": "0" * 64, "at": "2026-01-01T00:00:00Z"}
FILE = {"format": "bluegreen audit heads", "exported_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"plan:1 12 abc", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "Give a JSON object"),
        (b"{}", "format: This field is needed."),
        (FILE | {"format": "something else", "journals": []}, "format: "),
        (FILE, "journals: This field is needed."),
        (FILE | {"journals": [GOOD | {"seq": "1"}]}, "journals.0.seq: "),
        (FILE | {"journals": [GOOD | {"seq": -1}]}, "journals.0.seq: "),
        (FILE | {"journals": [GOOD | {"seq": True}]}, "journals.0.seq: "),
        (FILE | {"journals": [GOOD | {"hash": "A" * 64}]}, "journals.0.hash: "),
        (FILE | {"journals": [GOOD | {"at": "yesterday"}]}, "journals.0.at: "),
        (FILE | {"journals": [GOOD | {"more": 1}]}, "journals.0.more: "),
        (FILE | {"journals": [GOOD, GOOD]}, "twice"),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_what_is_wrong(
    content: bytes | dict[str, Any], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "heads.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    code, lines = verified(heads=file)
    assert (code, len(lines)) == (1, 1)
    assert words in lines[0]
    assert "heads.json cannot be used" in lines[0]
    assert not Journal.objects.filter(name="plan:1").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, lines = verified(heads=tmp_path / "nowhere.json")
    assert code == 1
    assert "nowhere.json cannot be used: No such file" in lines[0]
    assert verified(export=tmp_path / "no folder" / "heads.json")[0] == 1
