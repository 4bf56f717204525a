"""Gates between waves (X1): closed when a wave has ended, opened by time and a second person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from plans import operations
from plans.actor import Actor, Permission
from plans.engine import gates, scheduler
from plans.errors import (
    ChangedSinceYouLooked,
    FourEyes,
    IllegalTransition,
    PermissionRefused,
    RefusedError,
)
from plans.models import Decision, Event, EventKind, Plan, PlanState, Task, Wave
from tests.plans.rows import everything
from tests.plans.switching import break_stage, switched_plan
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ANA = Actor("ana", frozenset(Permission))
STARTER = Actor("stan", frozenset(Permission))
CREATOR = Actor(OPERATOR.name, frozenset(Permission))
APPROVAL = {"size": 1, "approval": True}
SOAK = {"size": 1, "soak_seconds": 3600}
REST = {"rest": True}


def at_gate(*waves: dict[str, Any], tenants: int = 3) -> Plan:
    """A plan whose first wave is done."""
    plan = switched_plan(tenants, waves=[*waves, REST])
    work_off()
    return Plan.objects.get(pk=plan.pk)


def states() -> str:
    return " ".join(Task.objects.order_by("position").values_list("state", flat=True))


def kinds(prefix: str = "gate.") -> list[tuple[str, int, str]]:
    found = Event.objects.filter(kind__startswith=prefix).order_by("seq")
    return [(event.kind, event.data["wave"], event.actor) for event in found]


def let_soak_end() -> None:
    Wave.objects.update(soak_until=F("soak_until") - timedelta(hours=2))


def test_a_wave_waits_for_the_soak_after_the_one_before(sandbox: Sandbox) -> None:
    plan = at_gate(SOAK)
    assert states() == "COMPLETED PENDING PENDING"
    gate = Wave.objects.get(index=0)
    assert gate.soak_until - gate.gate_closed_at == timedelta(hours=1)
    assert gates.due_plans() == []
    scheduler.settle(plan.pk)
    assert states() == "COMPLETED PENDING PENDING"

    let_soak_end()
    assert gates.due_plans() == [plan.pk]
    scheduler.settle(plan.pk)
    assert gates.due_plans() == []
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    assert kinds() == [("gate.closed", 0, "bluegreen"), ("gate.opened", 0, "bluegreen")]
    order = list(Event.objects.filter(kind__regex="wave|gate").values_list("kind", flat=True))
    assert order[1:4] == ["wave.completed", "gate.closed", "gate.opened"]


def test_a_second_person_lets_the_next_wave_begin(sandbox: Sandbox) -> None:
    plan = at_gate(APPROVAL)
    assert gates.due_plans() == []
    plan = operations.approve_plan(plan.pk, ANA, seen=plan.revision, reason="looks good")
    assert plan.state == PlanState.RUNNING
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    approved = Event.objects.get(kind=EventKind.GATE_APPROVED)
    assert (approved.actor, approved.reason, approved.data) == ("ana", "looks good", {"wave": 0})
    assert [kind for kind, *_ in kinds()] == ["gate.closed", "gate.approved", "gate.opened"]


def test_a_gate_with_both_opens_when_both_are_fulfilled(sandbox: Sandbox) -> None:
    plan = at_gate({**SOAK, "approval": True})
    operations.approve_plan(plan.pk, ANA)
    assert states() == "COMPLETED PENDING PENDING"
    let_soak_end()
    assert gates.due_plans() == [plan.pk]
    scheduler.settle(plan.pk)
    assert "PENDING" not in states()


@pytest.mark.parametrize("operation", [operations.approve_plan, operations.reject_plan])
@pytest.mark.parametrize("who", [CREATOR, STARTER])
def test_who_created_or_started_the_plan_decides_nothing(
    sandbox: Sandbox, who: Actor, operation: Callable[..., Any]
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"], waves=[APPROVAL, REST])
    operations.start_plan(plan.pk, STARTER)
    work_off()
    before = everything()
    with pytest.raises(FourEyes) as refused:
        operation(plan.pk, who)
    assert who.name in refused.value.message.english
    assert everything() == before


@pytest.mark.parametrize("operation", [operations.approve_plan, operations.reject_plan])
@pytest.mark.parametrize(
    ("who", "options", "error"),
    [
        (Actor("otto", OPERATOR.permissions), {}, PermissionRefused),
        (ANA, {"seen": "PAUSED"}, ChangedSinceYouLooked),
        (ANA, {"seen": 1}, ChangedSinceYouLooked),
    ],
)
def test_a_decision_is_refused_without_a_trace(
    sandbox: Sandbox,
    operation: Callable[..., Any],
    who: Actor,
    options: dict[str, Any],
    error: type[RefusedError],
) -> None:
    plan = at_gate(APPROVAL)
    before = everything()
    with pytest.raises(error):
        operation(plan.pk, who, **options)
    assert everything() == before
    assert Wave.objects.get(index=0).decision == Decision.NONE


def test_only_a_closed_gate_that_asks_for_it_is_decided(sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001", "tenant-002"], waves=[SOAK, REST])
    with pytest.raises(IllegalTransition):
        operations.approve_plan(plan.pk, ANA)
    operations.start_plan(plan.pk, OPERATOR)
    for _ in range(2):
        with pytest.raises(IllegalTransition, match="stands at no gate"):
            operations.approve_plan(plan.pk, ANA)
        work_off()


def test_who_looked_before_another_decided_is_told(sandbox: Sandbox) -> None:
    plan = at_gate({**SOAK, "approval": True})
    operations.approve_plan(plan.pk, ANA, seen=plan.revision)
    with pytest.raises(ChangedSinceYouLooked):
        operations.reject_plan(plan.pk, ANA, seen=plan.revision)
    with pytest.raises(IllegalTransition, match="ana has already approved"):
        operations.approve_plan(plan.pk, ANA)
    operations.reject_plan(plan.pk, ANA, reason="a second thought")
    assert Plan.objects.get().state == PlanState.PAUSED


def test_a_rejection_pauses_and_a_resume_asks_anew(sandbox: Sandbox) -> None:
    plan = at_gate(APPROVAL)
    plan = operations.reject_plan(plan.pk, ANA, seen=plan.revision, reason="latency")
    assert plan.state == PlanState.PAUSED
    paused = Event.objects.get(kind=EventKind.PLAN_PAUSED)
    assert (paused.actor, paused.reason) == ("ana", "latency")
    assert Event.objects.get(kind=EventKind.GATE_REJECTED).reason == "latency"
    assert Wave.objects.get(index=0).decision == Decision.REJECTED

    operations.resume_plan(plan.pk, OPERATOR)
    assert Wave.objects.get(index=0).decision == Decision.NONE
    assert states() == "COMPLETED PENDING PENDING"
    operations.approve_plan(plan.pk, ANA)
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED


def test_a_paused_plan_is_approved_and_begins_when_it_is_resumed(sandbox: Sandbox) -> None:
    plan = at_gate(APPROVAL)
    operations.pause_plan(plan.pk, OPERATOR)
    operations.approve_plan(plan.pk, ANA)
    assert states() == "COMPLETED PENDING PENDING"
    operations.resume_plan(plan.pk, OPERATOR)
    assert states() == "COMPLETED RUNNING RUNNING"


def test_a_task_that_runs_again_keeps_the_gate_closed(sandbox: Sandbox) -> None:
    break_stage(sandbox, "switch_route", "tenant-001")
    plan = switched_plan(3, waves=[SOAK, REST], failure_policy="continue")
    work_off()
    sandbox.clear_faults()
    operations.retry_task(Task.objects.get(position=0).pk, OPERATOR)
    let_soak_end()
    scheduler.settle(plan.pk)
    assert gates.due_plans() == []
    assert states() == "RUNNING PENDING PENDING"
    work_off()
    assert states() == "COMPLETED COMPLETED COMPLETED"


def test_each_wave_has_its_own_gate(sandbox: Sandbox) -> None:
    plan = at_gate(APPROVAL, APPROVAL)
    operations.approve_plan(plan.pk, ANA)
    work_off()
    assert states() == "COMPLETED COMPLETED PENDING"
    operations.approve_plan(plan.pk, ANA)
    work_off()
    assert [wave for kind, wave, _ in kinds() if kind == "gate.opened"] == [0, 1]
    assert Plan.objects.get().state == PlanState.COMPLETED


def test_a_cancelled_plan_stands_at_no_gate(sandbox: Sandbox) -> None:
    plan = at_gate(APPROVAL)
    operations.cancel_plan(plan.pk, OPERATOR)
    with pytest.raises(IllegalTransition):
        operations.approve_plan(plan.pk, ANA)
    scheduler.settle(plan.pk)
    assert states() == "COMPLETED CANCELLED CANCELLED"


def test_the_gate_after_the_last_wave_is_left_out(sandbox: Sandbox) -> None:
    switched_plan(2, waves=[APPROVAL, {"rest": True, "approval": True}])
    assert [wave.approval for wave in Wave.objects.order_by("index")] == [True, False]
