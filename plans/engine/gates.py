"""Gates between waves (X1): closed when a wave has ended, open once soak and approval allow it.

The database alone decides, by its own clock; the conductor looks for due gates in every round.
"""

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from plans.engine.clock import in_seconds
from plans.events import Record
from plans.models import UNFINISHED_STATES, Decision, EventKind, PlanState, Task, Wave


def close(record: Record, wave: Wave) -> None:
    """`wave` has ended: close its gate, if it has one."""
    if not wave.has_gate:
        return
    Wave.objects.filter(pk=wave.pk).update(
        gate_closed_at=Now(),
        soak_until=in_seconds(wave.soak_seconds) if wave.soak_seconds else None,
    )
    record.note(
        EventKind.GATE_CLOSED,
        data={
            "wave": wave.index,
            "soakSeconds": wave.soak_seconds,
            "approval": wave.approval,
        },
    )


def lets_begin(record: Record, wave: Wave) -> bool:
    """Whether `wave`, which has not begun, may begin; opens the gate before it where it is due."""
    if wave.index == 0:
        return True
    before = Wave.objects.get(plan=wave.plan_id, index=wave.index - 1)
    if not before.has_gate or before.gate_opened_at is not None:
        return True
    if not _due().filter(pk=before.pk).update(gate_opened_at=Now()):
        return False
    record.note(EventKind.GATE_OPENED, data={"wave": before.index})
    return True


def due_plans() -> list[int]:
    """The ids of the plans that a gate lets go on now."""
    due = _due().filter(plan__state=PlanState.RUNNING, plan__halt__isnull=True)
    current = due.filter(index=F("plan__current_wave") - 1)
    return list(current.order_by("plan").values_list("plan", flat=True))


def _due() -> QuerySet[Wave]:
    """Closed gates that nothing holds any more.

    A task of the wave that somebody retries meanwhile must have ended again, too.
    """
    unfinished = Task.objects.filter(wave=OuterRef("pk"), state__in=UNFINISHED_STATES)
    return Wave.objects.filter(
        Q(soak_until__isnull=True) | Q(soak_until__lte=Now()),
        Q(approval=False) | Q(decision=Decision.APPROVED),
        ~Exists(unfinished),
        gate_closed_at__isnull=False,
        gate_opened_at__isnull=True,
    )
