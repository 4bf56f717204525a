"""Why a task does not move: a stop, its plan, a gate, a wave, a slot, a lease, a poll, a pause."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.message import Message
from plans.models import ACTIVE_STATES, Control, Event, PlanState, Task, TaskState, Wave, WaveMode
from plans.queries import gates, hold
from plans.queries.hold import Hold
from plans.queries.stop import active_stop
from plans.queries.tally import DONE


def holds_of(task: Task) -> list[Hold]:
    """What holds `task` (with its plan and wave), the nearest cause last."""
    if task.state not in (TaskState.PENDING, TaskState.PAUSED, *ACTIVE_STATES):
        return []
    stop = active_stop()
    return [*([hold.of_stop(stop)] if stop else []), *_own_holds(task)]


def _own_holds(task: Task) -> list[Hold]:
    if task.state == TaskState.PENDING:
        return _pending(task)
    if task.state == TaskState.PAUSED:
        return [_paused(task)]
    return [*_asked(task), *_active(task)]


def _pending(task: Task) -> list[Hold]:
    plan = task.plan
    halt = Message.from_json(plan.halt)
    if plan.state == PlanState.CREATED:
        return [Hold(_("Its plan has not been started."))]
    if plan.state == PlanState.PAUSED:
        return [Hold(_("Its plan is paused: nothing is handed out."))]
    if halt is not None:
        return [Hold(_("Its plan is halted: %(why)s.") % {"why": halt})]
    if plan.state != PlanState.RUNNING:
        return [Hold(_("Its plan is %(state)s.") % {"state": plan.get_state_display()})]
    if task.wave.index > plan.current_wave:
        return [_earlier_wave(task)]
    gate = gates.closed_gate(plan)
    if gate is not None:
        return gates.holds_of(gate, plan)
    if task.wave.mode == WaveMode.FIFO:
        return [Hold(_("Its wave runs one at a time, in order: its turn has not come."))]
    return [_slot(task)]


def _paused(task: Task) -> Hold:
    events = Event.objects.filter(task=task, to_state=TaskState.PAUSED)
    paused = events.order_by("-seq").first()
    if paused is None:
        return Hold(_("Paused: it goes on when somebody resumes it."))
    text = _("Paused by %(who)s: it goes on when somebody resumes it.") % {"who": paused.actor}
    return Hold(text, since=paused.at)


def _earlier_wave(task: Task) -> Hold:
    wave = Wave.objects.get(plan=task.plan_id, index=task.plan.current_wave)
    ended = [*DONE, TaskState.FAILED, TaskState.ROLLBACK_FAILED]
    left = wave.tasks.exclude(state__in=ended).count()
    text = ngettext(
        "Wave %(own)s begins when wave %(current)s has ended: %(count)s task is left there.",
        "Wave %(own)s begins when wave %(current)s has ended: %(count)s tasks are left there.",
        left,
    )
    values = {"own": task.wave.index + 1, "current": wave.index + 1, "count": left}
    return Hold(text % values, since=wave.started_at)


def _lease(task: Task) -> Hold:
    worker = {"worker": task.lease_owner}
    if task.lease_expires_at is not None and task.lease_expires_at < timezone.now():
        text = _("Worker %(worker)s has not been heard of: another one takes the task over.")
        return Hold(text % worker, since=task.lease_expires_at)
    return Hold(_("Worker %(worker)s runs it.") % worker, since=task.leased_at)


def _slot(task: Task) -> Hold:
    taken = Task.objects.filter(plan=task.plan_id, admitted=True).count()
    values = {"taken": taken, "limit": task.plan.max_concurrency}
    return Hold(_("Waits for a slot: %(taken)s of %(limit)s are taken.") % values)


def _asked(task: Task) -> list[Hold]:
    if not task.control:
        return []
    values = {"who": task.control_by, "what": Control(task.control).label}
    return [Hold(_("%(who)s asked for %(what)s; it obeys at the next stage boundary.") % values)]


def _active(task: Task) -> list[Hold]:
    if not task.admitted:
        if task.plan.state == PlanState.PAUSED:
            return [Hold(_("Its plan is paused: it gets no slot."))]
        return [_slot(task)]
    if task.lease_owner:
        return [_lease(task)]
    if task.wake_at is not None:
        note = Message.from_json(task.wait_note)
        text = str(note) if note else _("Waits before the next try")
        return [Hold(text, until=task.wake_at)]
    return [Hold(_("Handed out: it waits for a worker with a free thread."), since=task.rung_at)]
