"""One worker's hold on one task: every method is one transaction that the lease's epoch guards."""

import time
from typing import Any, Self

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from plans import conf, events
from plans.actor import Actor
from plans.engine import global_stop, group_commit
from plans.engine import lease as leases
from plans.engine.clock import in_seconds
from plans.engine.group_commit import RunnerRecord
from plans.engine.leased_task import LeasedTask
from plans.engine.reports import describe_failure
from plans.errors import ChangedSinceYouLooked, StageError
from plans.message import Message
from plans.models import ACTIVE_STATES, Control, EventKind, Plan, StageRun, Task
from plans.stages.base import Done, Skipped, Wait
from plans.stores import prepared

STOPS = {Control.PAUSE: EventKind.TASK_PAUSED, Control.CANCEL: EventKind.TASK_CANCELLED}
ASKED = {
    Control.PAUSE: gettext_noop("Interrupted by a pause."),
    Control.CANCEL: gettext_noop("Interrupted by a cancel."),
}
LISTEN_SECONDS = 1.0
TAKEABLE = leases.is_free() & leases.is_due() & global_stop.is_not_active()


class TaskRun(LeasedTask):
    """One worker's run of one task.

    Where a row turns out to have changed under it, the row is read again: a lost lease raises
    `Superseded` (touch nothing more), a request by an operator is obeyed.
    """

    @classmethod
    def take(cls, task_id: int, worker: str) -> Self | None:
        """Take the lease and begin or take up again the stage; None where nothing is to take."""
        task = prepared.fetch(Task, task_id)
        if task is None or not task.admitted or task.state not in ACTIVE_STATES:
            return None
        task.plan = prepared.fetch(Plan, task.plan_id)  # type: ignore[assignment]
        held_by = task.lease_owner
        task.give_lease_back()
        task.lease_owner = worker
        task.lease_epoch += 1
        task.leased_at = Now()
        task.lease_expires_at = in_seconds(conf.LEASE_SECONDS)
        task.wake_at = None
        task.rung_at = None  # Answered: should this worker die, the next ring need not wait.
        run = cls(task, worker, leases.Lease(task.pk, task.lease_epoch, time.monotonic()))
        run.memo = task.memo
        try:
            with group_commit.record(task.plan, task, Actor(worker)) as record:
                if held_by:
                    record.note(
                        EventKind.TASK_TAKEN_OVER,
                        task=task,
                        epoch=task.lease_epoch,
                        data={"from": held_by, "stage": task.step},
                    )
                run.stage_run = run.open_stage_run()
                if held_by and run.stage_run:
                    run.ledger.add_gap()
                begun = None if run.stage_run or task.control else run.begin()
                record.save(task, guard={"revision": task.revision}, where=TAKEABLE)
                run.store_begun(record, begun)
        except ChangedSinceYouLooked:
            return None  # Another worker took it, or an operator stopped it.
        leases.keep(run.lease)
        return run

    # --- One transaction each -----------------------------------------------------------

    def advance(self, ending: Done | Skipped, checkpoint: str) -> None:
        """The stage is finished: store result and checkpoint, begin the next or end the task."""
        self._write(ending, lambda record: self._advance(record, ending, checkpoint), checkpoint)

    def park(self, wait: Wait) -> None:
        """Give lease and thread back until the wait is over."""

        def write(record: RunnerRecord) -> None:
            task = self.task
            if task.wait_note != wait.note.as_json():
                self.note(record, EventKind.TASK_WAITING, {"for": wait.note.as_json()})
            task.wait_note = wait.note.as_json()
            task.memo = wait.memo
            self.park_for(record, wait.seconds)

        self._write(None, write)

    def try_again(self, error: StageError, delay_seconds: float, *, parked: bool) -> None:
        """The stage failed and will be tried again, after a parked wait or by this thread."""

        def write(record: RunnerRecord) -> None:
            self.end_stage_run(record, error, {"nextTryInSeconds": round(delay_seconds, 3)})
            self.task.memo = {}
            if parked:
                self.park_for(record, delay_seconds)
            else:
                record.save(self.task, guard=self.guard)
            self.stage_run = None

        self._write(error, write)

    def begin_again(self) -> None:
        """Begin the next try of a stage that failed a moment ago."""

        def write(record: RunnerRecord) -> None:
            begun = self.begin()
            record.save(self.task, guard=self.guard)
            self.store_begun(record, begun)

        self._write(None, write)

    def fail(self, error: StageError, checkpoint: dict[str, Any] | None) -> None:
        """The stage failed for good: the task waits for a person."""

        def write(record: RunnerRecord) -> None:
            task = self.task
            failure = describe_failure(error, task.step)
            rolling_back = task.is_rolling_back
            self.note_stage_failed(record, error, {})
            record.apply(
                task,
                "fail_rollback" if rolling_back else "fail",
                EventKind.TASK_ROLLBACK_FAILED if rolling_back else EventKind.TASK_FAILED,
                reason=failure["reason"],
                data=failure,
                epoch=self.lease.epoch,
                guard=self.guard,
                failure=failure,
                checkpoint=checkpoint,
                finished_at=timezone.now(),
            )
            self.close_stage_run(record, error)

        self._write(error, write, is_end=True)

    def stop(self) -> None:
        """Obey a pause or cancel between two stages or two polls."""
        self._write(None, lambda record: None)

    def listen(self) -> None:
        """Hear what an operator has asked for meanwhile; looks once a second at most."""
        now = time.monotonic()
        if now - self.heard_monotonic >= LISTEN_SECONDS:
            self.heard_monotonic = now
            if not Task.objects.filter(pk=self.task.pk, **self.guard).exists():
                self.reload()

    def note_progress(self) -> None:
        """Say that the task is alive though its stage takes long. For a thread of its own."""
        mine = Task.objects.select_for_update(no_key=True).filter(
            pk=self.task.pk, lease_owner=self.worker
        )
        with events.record(self.plan, Actor(self.worker)) as record:
            if mine.filter(lease_epoch=self.lease.epoch).exists():
                self.note(record, EventKind.TASK_PROGRESS, self.progress())
        self.told_monotonic = time.monotonic()

    def give_back(self) -> None:
        """Release the lease without having finished, so that another may go on at once."""
        mine = Task.objects.filter(pk=self.task.pk, lease_epoch=self.lease.epoch)
        with transaction.atomic():
            given = mine.update(lease_owner="", lease_expires_at=None, rung_at=None)
            run = self.stage_run
            if given and run is not None and run.pk in self._ledgers:
                open_run = StageRun.objects.filter(pk=run.pk, finished_at__isnull=True)
                open_run.update(effects=self.ledger.as_json())

    # --- How they are written -----------------------------------------------------------

    def _write(
        self, ending: Any, write: Any, checkpoint: str = "", *, is_end: bool = False
    ) -> None:
        """Run `write` in a transaction; where an operator asked for a stop, stop instead.

        With `is_end` the task ends here, so nothing is left to be stopped.
        """
        while True:
            try:
                with group_commit.record(self.plan, self.task, Actor(self.worker)) as record:
                    if self.task.control and not (is_end or self.ends_here(ending)):
                        self._stop(record, ending, checkpoint)
                    else:
                        write(record)
                self.told_monotonic = time.monotonic()
                return
            except ChangedSinceYouLooked:
                self.reload()

    def _advance(self, record: RunnerRecord, ending: Done | Skipped, checkpoint: str) -> None:
        task = self.task
        is_last = self.ends_here(ending)
        rolling_back = task.is_rolling_back
        self.count(record, ending, checkpoint)
        begun = None
        if is_last:
            record.apply(
                task,
                "finish_rollback" if rolling_back else "complete",
                EventKind.TASK_ROLLED_BACK if rolling_back else EventKind.TASK_COMPLETED,
                epoch=self.lease.epoch,
                guard=self.guard,
                finished_at=timezone.now(),
            )
        else:
            begun = self.begin()
            record.save(task, guard=self.guard)
        self.close_stage_run(record, ending)
        self.store_begun(record, begun)

    def _stop(self, record: RunnerRecord, ending: Any, checkpoint: str) -> None:
        task = self.task
        verb = Control(task.control)
        if isinstance(ending, (Done, Skipped)):
            self.count(record, ending, checkpoint)
        elif isinstance(ending, StageError):
            self.note_stage_failed(record, ending, {})
        record.apply(
            task,
            verb.value,
            STOPS[verb],
            reason=task.control_reason,
            by=task.control_by,
            epoch=self.lease.epoch,
            guard=self.guard,
            finished_at=timezone.now() if verb == Control.CANCEL else None,
        )
        self.close_stage_run(record, ending or Skipped(Message(ASKED[verb])))
