"""Gates on pages without a browser: who is offered what, and what is said."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from plans import operations
from plans.models import Plan, PlanState, Task, TaskState, Wave
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, MakePlan, add_tenants, client_of, stand
from tests.web.test_new_plan import filled

pytestmark = pytest.mark.django_db

WAVES = ({"size": 1, "approval": True, "soak_seconds": 600}, {"rest": True})


@pytest.fixture
def approver(db: None) -> Client:
    return client_of("ana", "approver")


def at_gate(make_plan: MakePlan, **options: Any) -> Plan:
    """A plan whose first wave is done, as if it had been run."""
    plan = make_plan(3, waves=WAVES, **options)
    operations.start_plan(plan.pk, OPERATOR)
    stand(Task.objects.filter(plan=plan, wave__index=0), TaskState.COMPLETED, admitted=False)
    operations.pause_plan(plan.pk, OPERATOR)
    return operations.resume_plan(plan.pk, OPERATOR)


def test_a_gate_is_approved_as_it_was_seen(approver: Client, make_plan: MakePlan) -> None:
    plan = Plan.objects.get(pk=at_gate(make_plan).pk)
    where = f"/plans/{plan.pk}/approve/"
    text = approver.get(where).text
    assert "Wave 2 begins: 2 more tenants go to green." in text
    assert f'name="seen" value="{plan.revision}"' in text
    stale = {"seen": str(plan.revision - 1)}
    assert approver.post(where, stale).status_code == 409
    answer = approver.post(where, {"seen": plan.revision, "reason": "fine"}, follow=True)
    assert "is approved" in answer.text
    assert "approved by ana" in answer.text
    assert Wave.objects.get(plan=plan, index=0).decided_by == "ana"


def test_a_rejection_pauses_and_is_shown_with_its_reason(
    approver: Client, make_plan: MakePlan
) -> None:
    plan = at_gate(make_plan)
    text = approver.post(f"/plans/{plan.pk}/reject/", {"reason": "slow"}, follow=True).text
    assert Plan.objects.get().state == PlanState.PAUSED
    assert "ana rejected the gate after wave 1: slow" in text
    assert "gate-" not in approver.get("/").text


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_may_not_decide_is_told_why_and_changes_nothing(
    verb: str, operator: Client, make_plan: MakePlan
) -> None:
    plan = at_gate(make_plan)
    where = f"/plans/{plan.pk}/{verb}/"
    assert "Your role may not decide about gates" in operator.get(where).text
    assert operator.post(where).status_code == 403
    creator = client_of("olga2", "approver")
    Plan.objects.filter(pk=plan.pk).update(created_by="olga2")
    assert "You created or started this plan" in creator.get(where).text
    assert creator.post(where).status_code == 403
    assert Wave.objects.get(plan=plan, index=0).decision == ""
    assert Plan.objects.get().state == PlanState.RUNNING


def test_a_plan_without_a_gate_offers_no_decision(approver: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    assert "act-approve" not in approver.get(f"/plans/{plan.pk}/").text
    assert "stands at no gate" in approver.get(f"/plans/{plan.pk}/approve/").text


def test_the_pages_say_for_what_a_plan_and_its_tasks_wait(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = at_gate(make_plan)
    page = operator.get(f"/plans/{plan.pk}/").text
    waiting = "waits for approval by somebody else than olga"
    for said in ("Wave 1 soaks before the next one begins", waiting, "Gate, closed"):
        assert said in page
    task = Task.objects.get(plan=plan, position=1)
    assert waiting in operator.get(f"/tasks/{task.pk}/").text
    assert "awaits approval" in operator.get("/").text
    operations.cancel_plan(plan.pk, OPERATOR)
    assert "awaits approval" not in operator.get("/").text


def test_a_budget_is_shown_as_it_is_used(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(4, failure_policy="continue", failure_budget=2)
    operations.start_plan(plan.pk, OPERATOR)
    stand(Task.objects.filter(plan=plan)[:1], TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    assert "failure budget: 1 of 2 used" in operator.get(f"/plans/{plan.pk}/").text


def test_a_hand_out_that_no_worker_takes_is_told(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(2)
    operations.start_plan(plan.pk, OPERATOR)
    where = f"/plans/{plan.pk}/"
    # However long the page takes, a moment has not passed.
    Task.objects.update(rung_at=timezone.now() + timedelta(minutes=5))
    assert "no worker takes" not in operator.get(where).text
    Task.objects.update(rung_at="2026-01-01T00:00:00Z")
    assert "2 tasks are handed out, and no worker takes them" in operator.get(where).text
    Task.objects.filter(position=0).update(lease_owner="w", lease_expires_at=Now())
    assert "no worker takes" not in operator.get(where).text


@pytest.mark.parametrize(
    ("fields", "gates"),
    [
        ({"waves": "1 soak 15m approval, 1 fifo, rest"}, [(900, True), (0, False), (0, False)]),
        ({"waves": "1, 1, rest", "soak": "2h"}, [(7200, False), (7200, False), (0, False)]),
        ({"waves": "1, 1 soak 30s, rest", "approval": "on"}, [(0, True), (30, False), (0, False)]),
        ({"waves": "", "approval": "on", "soak": "1m"}, [(0, False)]),
    ],
)
def test_gates_are_written_for_a_wave_or_for_all(
    fields: dict[str, str], gates: list[tuple[int, bool]], operator: Client
) -> None:
    add_tenants(3)
    operator.post("/plans/new/", filled(**fields))
    waves = Wave.objects.order_by("index").values_list("soak_seconds", "approval")
    assert list(waves) == gates


@pytest.mark.parametrize(
    "fields",
    [{"soak": "soon"}, {"soak": "40d"}, {"waves": "1 soak, rest"}, {"waves": "1 twice, rest"}],
)
def test_gates_that_make_no_sense_are_refused(fields: dict[str, str], operator: Client) -> None:
    add_tenants(3)
    assert operator.post("/plans/new/", filled(**fields)).status_code == 422
    assert not Plan.objects.exists()
