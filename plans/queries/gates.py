"""Gates between waves as people see them: which are closed, and what each waits for (X1)."""

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.models import UNFINISHED_STATES, Decision, Plan, PlanState, Task, Wave
from plans.queries.hold import Hold

GATE_STATES = (PlanState.RUNNING, PlanState.PAUSED)
"""States in which a plan can stand at a gate."""


def _closed() -> QuerySet[Wave]:
    return Wave.objects.filter(
        gate_closed_at__isnull=False,
        gate_opened_at__isnull=True,
        index=F("plan__current_wave") - 1,
        plan__state__in=GATE_STATES,
    )


def closed_gate(plan: Plan) -> Wave | None:
    """The wave whose gate keeps the plan's next wave from beginning, if one does."""
    return _closed().filter(plan=plan).first()


def awaiting_approval(limit: int) -> list[Wave]:
    """The gates that wait for a second person, with their plans, the longest waiting first.

    A rejected one waits for its plan to be resumed, not for a person who approves.
    """
    waiting = _closed().filter(approval=True, decision=Decision.NONE).select_related("plan")
    return list(waiting.order_by("gate_closed_at")[:limit])


def nobody_of(plan: Plan) -> str:
    """Who may not approve the plan's gates, in words: its creator and its starter."""
    names = dict.fromkeys(name for name in (plan.created_by, plan.started_by) if name)
    return _(" or ").join(names)


def holds_of(gate: Wave, plan: Plan) -> list[Hold]:
    """What the closed gate after a wave of `plan` waits for; nothing where it opens any moment."""
    number = gate.number
    holds = []
    if gate.soak_until is not None and gate.soak_until > timezone.now():
        text = _("Wave %(number)s soaks before the next one begins") % {"number": number}
        holds.append(Hold(text, until=gate.soak_until))
    if gate.decision == Decision.REJECTED:
        values = {"number": number, "who": gate.decided_by, "why": gate.decision_reason or "–"}
        text = _("%(who)s rejected the gate after wave %(number)s: %(why)s") % values
        holds.append(Hold(text, since=gate.decided_at))
    elif gate.awaits_approval:
        text = _(
            "The gate after wave %(number)s waits for approval by somebody else than %(nobody)s."
        )
        values = {"number": number, "nobody": nobody_of(plan)}
        holds.append(Hold(text % values, since=gate.gate_closed_at))
    left = Task.objects.filter(wave=gate, state__in=UNFINISHED_STATES).count()
    if left:
        text = ngettext(
            "%(count)s task of wave %(number)s runs again: the gate waits for it.",
            "%(count)s tasks of wave %(number)s run again: the gate waits for them.",
            left,
        )
        holds.append(Hold(text % {"count": left, "number": number}))
    return holds
