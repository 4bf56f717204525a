"""Plans, journals and events that miss one another show, though every chain holds."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

from plans import audit
from plans.errors import ValidationFailed
from plans.models import Event, Plan
from plans.models.journal import GENESIS
from tests.audit.past import sql, without_foreign_keys
from tests.support.driving import make_plan
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """One of two plans; a third was refused."""
    plan = make_plan(["tenant-001"])
    make_plan(["tenant-002"])
    with pytest.raises(ValidationFailed):
        make_plan(["no such tenant"])
    assert audit.verify().broken == []
    return plan


def found() -> list[tuple[str, int | None, str]]:
    return [(each.journal, each.seq, each.why.english) for each in audit.verify().broken]


def drop_journal(plan: Plan) -> None:
    with without_foreign_keys():
        sql("DELETE FROM plans_journal WHERE id = %s", plan.journal_id)


def drop_events(plan: Plan) -> None:
    sql("DELETE FROM plans_event WHERE plan_id = %s", plan.pk)


def drop_plan(plan: Plan) -> None:
    with without_foreign_keys():
        sql("DELETE FROM plans_plan WHERE id = %s", plan.pk)


def test_a_plan_whose_journal_is_gone_with_its_events(plan: Plan) -> None:
    drop_events(plan)
    drop_journal(plan)
    expected = (f"plan:{plan.pk}", None, "The journal of this plan is missing.")
    assert found() == [expected]
    assert [each.journal for each in audit.verify(plan.pk).broken] == [f"plan:{plan.pk}"]


def test_a_plan_and_events_whose_journal_is_gone(plan: Plan) -> None:
    drop_journal(plan)
    name, first = f"plan:{plan.pk}", Event.objects.get(plan=plan, seq=1)
    expected = [
        (name, None, "The journal of this plan is missing."),
        (name, 1, "Its journal is missing."),
    ]
    assert found() == expected
    assert audit.verify().broken[1].event_id == first.pk
    assert len(audit.verify(plan.pk).broken) == 2


def test_events_without_plan_and_journal(plan: Plan) -> None:
    drop_journal(plan)
    drop_plan(plan)
    assert found() == [(f"plan:{plan.pk}", 1, "Its journal is missing.")]


def test_events_of_the_installation_without_their_journal(plan: Plan) -> None:
    with without_foreign_keys():
        sql("DELETE FROM plans_journal WHERE name = 'installation'")
    assert found() == [("installation", 1, "Its journal is missing.")]


def test_a_journal_without_its_plan(plan: Plan) -> None:
    drop_plan(plan)
    expected = [(f"plan:{plan.pk}", None, "The plan of this journal is missing.")]
    assert found() == expected
    drop_events(plan)
    assert found() == expected


def test_an_emptied_journal_of_the_installation(plan: Plan) -> None:
    sql("DELETE FROM plans_event WHERE plan_id IS NULL")
    sql(
        "UPDATE plans_journal SET last_seq = 0, last_hash = %s WHERE name = 'installation'", GENESIS
    )
    ((journal, seq, _why),) = found()
    assert (journal, seq) == ("installation", 1)


def swap_names(plan: Plan) -> None:
    other = Plan.objects.exclude(pk=plan.pk).get()
    for journal, name in (
        (plan.journal_id, "meanwhile"),
        (other.journal_id, f"plan:{plan.pk}"),
        (plan.journal_id, f"plan:{other.pk}"),
    ):
        sql("UPDATE plans_journal SET name = %s WHERE id = %s", name, journal)


def swap_journals(plan: Plan) -> None:
    other = Plan.objects.exclude(pk=plan.pk).get()
    unused = 10**6
    with without_foreign_keys():
        for plan_id, journal in (
            (other.pk, unused),
            (plan.pk, other.journal_id),
            (other.pk, plan.journal_id),
        ):
            sql("UPDATE plans_plan SET journal_id = %s WHERE id = %s", journal, plan_id)


@pytest.mark.parametrize("swap", [swap_names, swap_journals])
def test_journals_under_each_others_name(plan: Plan, swap: Callable[[Plan], None]) -> None:
    other = Plan.objects.exclude(pk=plan.pk).get()
    swap(plan)
    text = "This is the journal of plan {}, which goes by another name."
    assert set(found()) == {
        (f"plan:{plan.pk}", None, text.format(other.pk)),
        (f"plan:{other.pk}", None, text.format(plan.pk)),
    }


def test_a_journal_under_a_name_of_its_own(plan: Plan) -> None:
    sql("UPDATE plans_journal SET name = 'installation 2' WHERE id = %s", plan.journal_id)
    text = f"This is the journal of plan {plan.pk}, which goes by another name."
    assert found() == [("installation 2", None, text)]


def test_the_command_names_what_is_no_event_by_its_journal_and_counts_journals_once(
    plan: Plan,
) -> None:
    drop_journal(plan)
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_audit", stdout=out, stderr=errors)
    first = Event.objects.get(plan=plan, seq=1)
    assert out.getvalue().splitlines() == [
        f"plan:{plan.pk}: The journal of this plan is missing.",
        f"plan:{plan.pk}, event 1 (plans_event.id {first.pk}): Its journal is missing.",
    ]
    assert errors.getvalue() == "1 of 3 journals do not hold.\n"
