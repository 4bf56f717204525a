"""What a plan's page says of the plan beside its tasks: its waves, and why it stands."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.message import Message
from plans.models import (
    UNDER_WAY_PLAN_STATES,
    FailurePolicy,
    Plan,
    PlanState,
    Task,
    TaskState,
    Wave,
)
from plans.queries import gates, hold
from plans.queries.bar import Segment, segments
from plans.queries.eligible import FAILED
from plans.queries.funnel import STILL_FAILED
from plans.queries.gates import GATE_STATES
from plans.queries.hold import Hold
from plans.queries.stop import active_stop
from plans.queries.tally import Tally

CALLED_SECONDS = 3.0
"""After this long one asks oneself why no worker takes what is handed out."""


@dataclass(frozen=True)
class WaveStep:
    """A rung of the wave ladder. `status` is `done`, `failed`, `current` or `ahead`.

    `done` counts the tenants that are switched. `gate` is that of the gate after it: `ahead`,
    `closed` or `open`; empty where there is none.
    """

    wave: Wave
    status: str
    done: int
    failed: int
    rolled_back: int
    cancelled: int
    segments: list[Segment]
    gate: str

    @property
    def number(self) -> int:
        return self.wave.index + 1


def wave_ladder(plan: Plan, tally: Tally) -> list[WaveStep]:
    """The plan's waves with their progress."""
    by_wave = tally.by_wave
    return [_wave_step(plan, wave, by_wave.get(wave.pk, Counter())) for wave in plan.waves.all()]


def _wave_step(plan: Plan, wave: Wave, states: Counter[str]) -> WaveStep:
    done = states[TaskState.COMPLETED]
    failed = sum(states[state] for state in STILL_FAILED)
    rolled_back = states[TaskState.ROLLED_BACK]
    cancelled = states[TaskState.CANCELLED]
    is_over = done + failed + rolled_back + cancelled == wave.size
    is_begun = plan.state != PlanState.CREATED and wave.index <= plan.current_wave
    if done and done + cancelled == wave.size:
        status = "done"
    elif failed and (is_over or plan.finished_at):
        status = "failed"
    elif is_begun and not is_over and not plan.finished_at:
        status = "current"
    else:
        # Not begun, cut short, or taken back.
        status = "ahead"
    gate = _gate_status(plan, wave)
    return WaveStep(wave, status, done, failed, rolled_back, cancelled, segments(states), gate)


def _gate_status(plan: Plan, wave: Wave) -> str:
    if not wave.has_gate:
        return ""
    if wave.gate_opened_at is not None:
        return "open"
    is_closed = wave.gate_closed_at is not None and plan.state in GATE_STATES
    return "closed" if is_closed else "ahead"


def why_still(plan: Plan, tally: Tally) -> list[Hold]:
    """Why a plan that is not at its end does not move, or not further; nothing where it does.

    At most three statements.
    """
    moves = plan.state in UNDER_WAY_PLAN_STATES or tally.admitted
    stop = active_stop() if moves else None
    holds = [hold.of_stop(stop)] if stop else []
    holds += [Hold(text) for text in _own_reasons(plan, tally)]
    if plan.state in GATE_STATES and plan.current_wave and (gate := gates.closed_gate(plan)):
        holds += gates.holds_of(gate, plan)
    if tally.admitted and stop is None:
        holds += _no_worker(plan)
    return holds


def _own_reasons(plan: Plan, tally: Tally) -> list[str]:
    reasons = []
    halt = Message.from_json(plan.halt)
    if plan.state == PlanState.CREATED:
        reasons.append(_("Nothing has begun: the plan waits to be started."))
    if plan.state == PlanState.PAUSED and halt is not None:
        reasons.append(
            _(
                "Paused, because its failure budget is spent: %(why)s. What runs may finish. "
                "Resume to go on: the next failure pauses it again."
            )
            % {"why": halt}
        )
    elif plan.state == PlanState.PAUSED:
        reasons.append(_("Paused: nothing is handed out until the plan is resumed."))
    elif halt is not None and plan.state in (PlanState.RUNNING, PlanState.FAILED):
        reasons.append(_("Halted: %(why)s.") % {"why": halt})
    paused = tally.count(TaskState.PAUSED)
    if plan.state == PlanState.RUNNING and paused and not tally.admitted:
        text = ngettext(
            "%(count)s paused task holds the plan up: resume, cancel or roll it back.",
            "%(count)s paused tasks hold the plan up: resume, cancel or roll them back.",
            paused,
        )
        reasons.append(text % {"count": paused})
    return reasons


def _no_worker(plan: Plan) -> list[Hold]:
    """Tasks that were handed out a while ago, and none of the plan is at a worker."""
    admitted = Task.objects.filter(plan=plan, admitted=True)
    called = admitted.filter(wake_at=None, rung_at__lt=Now() - timedelta(seconds=CALLED_SECONDS))
    count = called.count()
    if not count or admitted.exclude(lease_owner="").exists():
        return []
    text = ngettext(
        "%(count)s task is handed out, and no worker takes it: the system page shows who is alive.",
        "%(count)s tasks are handed out, and no worker takes them: the system page shows who is "
        "alive.",
        count,
    )
    return [Hold(text % {"count": count})]


def budget_used(plan: Plan) -> int | None:
    """How many failures of the failure budget are used; None where the plan has no budget."""
    if plan.failure_policy != FailurePolicy.CONTINUE or plan.failure_budget is None:
        return None
    return Task.objects.filter(FAILED, plan=plan).count()
