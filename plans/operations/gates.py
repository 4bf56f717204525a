"""Approve or reject the gate at which a plan waits (X1): a second person's decision.

Whoever created or started the plan decides nothing about its gates, whatever the role.
"""

from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from plans.actor import Actor, Permission
from plans.engine import scheduler
from plans.errors import FourEyes, IllegalTransition
from plans.events import Record, describe
from plans.message import Message
from plans.models import Decision, EventKind, Plan, PlanState, Wave
from plans.operations.looked import Seen, operating_on_plan
from plans.operations.plan import pause_locked
from plans.queries.gates import GATE_STATES, closed_gate
from plans.verbs import words_of


def approve_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Let the next wave begin, once the soak is over too.

    Send the revision as `seen`: a state does not say at which of its gates the plan stands.
    Raises what every operation raises, and `FourEyes`.
    """
    with operating_on_plan(plan_id, actor, seen, needs=Permission.APPROVE) as (plan, record):
        gate = _gate_to_decide(plan, actor, "approve")
        _decide(record, plan, gate, Decision.APPROVED, reason)
    scheduler.settle(plan_id)
    return plan


def reject_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Refuse to go on: the plan is paused. Resuming it asks for approval anew."""
    with operating_on_plan(plan_id, actor, seen, needs=Permission.APPROVE) as (plan, record):
        gate = _gate_to_decide(plan, actor, "reject")
        _decide(record, plan, gate, Decision.REJECTED, reason)
        if plan.state == PlanState.RUNNING:
            pause_locked(record, plan, actor, reason)
    return plan


def _gate_to_decide(plan: Plan, actor: Actor, asked: str) -> Wave:
    if plan.state not in GATE_STATES:
        raise IllegalTransition(
            what=describe(plan),
            state=Message.of(plan.get_state_display()),
            asked=words_of(asked),
        )
    gate = closed_gate(plan)
    if gate is None or not gate.approval:
        raise IllegalTransition(
            gettext_noop("%(what)s stands at no gate that waits for approval."),
            what=describe(plan),
        )
    if gate.decision == Decision.APPROVED and asked == "approve":
        raise IllegalTransition(
            gettext_noop("%(who)s has already approved the gate after wave %(wave)s."),
            who=gate.decided_by,
            wave=gate.number,
        )
    if actor.name in (plan.created_by, plan.started_by):
        raise FourEyes(actor=actor.name)
    return gate


def _decide(record: Record, plan: Plan, gate: Wave, decision: Decision, reason: str) -> None:
    Wave.objects.filter(pk=gate.pk).update(
        decision=decision,
        decided_by=record.actor.name,
        decided_at=Now(),
        decision_reason=reason,
    )
    record.save(plan)  # Nothing of it but its revision: who looked before has not seen this.
    kind = {
        Decision.APPROVED: EventKind.GATE_APPROVED,
        Decision.REJECTED: EventKind.GATE_REJECTED,
    }[decision]
    record.note(kind, reason=reason, data={"wave": gate.index})
