"""Pause and cancel: at once where no worker is at it, else as a request to the worker."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext_noop

from plans.actor import Actor
from plans.events import Record
from plans.message import Message
from plans.models import Control, EventKind, StageRun, Task, TaskState
from plans.slices import slices

ASKED = {
    Control.PAUSE: EventKind.TASK_PAUSE_REQUESTED,
    Control.CANCEL: EventKind.TASK_CANCEL_REQUESTED,
}
STOPPED = {Control.PAUSE: EventKind.TASK_PAUSED, Control.CANCEL: EventKind.TASK_CANCELLED}
INTERRUPTED = gettext_noop("Interrupted while it waited.")


def stop(
    record: Record, tasks: Sequence[Task], control: Control, actor: Actor, reason: str
) -> None:
    """Stop locked tasks. One with a worker obeys at its next stage boundary (S3.3).

    One that was asked to cancel is not paused any more.
    """
    if control == Control.PAUSE:
        tasks = [task for task in tasks if task.control != Control.CANCEL]
    at_once = [task for task in tasks if not task.lease_owner]
    _close_open_runs(record, at_once)
    ended = {"finished_at": timezone.now()} if control == Control.CANCEL else {}
    record.apply_to_all(at_once, control.value, STOPPED[control], reason=reason, **ended)
    for task in tasks:
        if task.lease_owner and task.state == TaskState.RUNNING:
            task.control = control
            task.control_by = actor.name
            task.control_reason = reason
            record.save(task)
            record.note(ASKED[control], task=task, reason=reason)


def _close_open_runs(record: Record, tasks: Sequence[Task]) -> None:
    waiting = [task.pk for task in tasks if task.tries]
    for some in slices(waiting):
        for run in StageRun.objects.filter(task__in=some, finished_at__isnull=True):
            run.finished_at = timezone.now()
            run.result = {"why": Message(INTERRUPTED).as_json()}
            record.end_run(run, "skip")
