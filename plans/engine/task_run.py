"""One worker's hold on one task: every method is one transaction that the lease's epoch guards."""

import time
from dataclasses import dataclass, field
from typing import Any, Self

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from plans import conf, events
from plans.actor import Actor
from plans.canonical import dumps, storable, storable_text
from plans.engine import lease as leases
from plans.engine.clock import in_seconds
from plans.errors import ChangedSinceYouLooked, StageError, Superseded
from plans.events import Record
from plans.message import Message
from plans.models import ACTIVE_STATES, Control, Direction, EventKind, Plan, StageRun, Task
from plans.stages.base import Done, Skipped, Wait
from plans.stores import prepared

STOPS = {Control.PAUSE: EventKind.TASK_PAUSED, Control.CANCEL: EventKind.TASK_CANCELLED}
ASKED = {
    Control.PAUSE: gettext_noop("Interrupted by a pause."),
    Control.CANCEL: gettext_noop("Interrupted by a cancel."),
}
LISTEN_SECONDS = 1.0


@dataclass
class TaskRun:
    """A task whose lease this process holds, and the stage run that is open.

    Where a row turns out to have changed under it, the row is read again: a lost lease raises
    `Superseded` (touch nothing more), a request by an operator is obeyed.
    """

    task: Task
    worker: str
    lease: leases.Lease
    stage_run: StageRun | None = None
    memo: dict[str, Any] = field(default_factory=dict)
    told_monotonic: float = field(default_factory=time.monotonic)
    heard_monotonic: float = field(default_factory=time.monotonic)

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
            with events.record(task.plan, Actor(worker)) as record:
                if held_by:
                    record.note(
                        EventKind.TASK_TAKEN_OVER,
                        task=task,
                        epoch=task.lease_epoch,
                        data={"from": held_by, "stage": task.step},
                    )
                run.stage_run = run._open_stage_run()
                begun = None if run.stage_run or task.control else run._begin()
                record.save(
                    task, guard=Q(revision=task.revision) & leases.is_free() & leases.is_due()
                )
                run._store_begun(record, begun)
        except ChangedSinceYouLooked:
            return None  # Another worker took it, or an operator stopped it.
        leases.keep(run.lease)
        return run

    # --- What it stands at --------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        return self.task.plan

    @property
    def direction(self) -> Direction:
        return Direction.ROLLBACK if self.task.is_rolling_back else Direction.FORWARD

    @property
    def index(self) -> int:
        """The place in the pipeline of the stage to run or undo next."""
        return self.task.cursor - 1 if self.task.is_rolling_back else self.task.cursor

    @property
    def spec(self) -> dict[str, Any]:
        """That stage's entry in the pipeline snapshot."""
        spec: dict[str, Any] = self.task.pipeline[self.index]
        return spec

    @property
    def is_going_on(self) -> bool:
        return self.task.state in ACTIVE_STATES and bool(self.task.lease_owner)

    @property
    def elapsed_seconds(self) -> float:
        """How long ago the open stage run began; it may have been parked, so by the wall clock."""
        assert self.stage_run is not None
        return (timezone.now() - self.stage_run.started_at).total_seconds()

    # --- One transaction each -----------------------------------------------------------

    def advance(self, ending: Done | Skipped, checkpoint: str) -> None:
        """The stage is finished: store result and checkpoint, begin the next or end the task."""
        self._write(ending, lambda record: self._advance(record, ending, checkpoint), checkpoint)

    def park(self, wait: Wait) -> None:
        """Give lease and thread back until the wait is over."""

        def write(record: Record) -> None:
            task = self.task
            if task.wait_note != wait.note.as_json():
                self._note(record, EventKind.TASK_WAITING, {"for": wait.note.as_json()})
            task.wait_note = wait.note.as_json()
            task.memo = wait.memo
            self._park(record, wait.seconds)

        self._write(None, write)

    def try_again(self, error: StageError, delay_seconds: float, *, parked: bool) -> None:
        """The stage failed and will be tried again, after a parked wait or by this thread."""

        def write(record: Record) -> None:
            self._end_stage_run(record, error, {"nextTryInSeconds": round(delay_seconds, 3)})
            self.task.memo = {}
            if parked:
                self._park(record, delay_seconds)
            else:
                record.save(self.task, guard=self._guard)
            self.stage_run = None

        self._write(error, write)

    def begin_again(self) -> None:
        """Begin the next try of a stage that failed a moment ago."""

        def write(record: Record) -> None:
            begun = self._begin()
            record.save(self.task, guard=self._guard)
            self._store_begun(record, begun)

        self._write(None, write)

    def fail(self, error: StageError, checkpoint: dict[str, Any] | None) -> None:
        """The stage failed for good: the task waits for a person."""

        def write(record: Record) -> None:
            task = self.task
            failure = describe_failure(error, task.step)
            rolling_back = task.is_rolling_back
            self._note_stage_failed(record, error, {})
            record.apply(
                task,
                "fail_rollback" if rolling_back else "fail",
                EventKind.TASK_ROLLBACK_FAILED if rolling_back else EventKind.TASK_FAILED,
                reason=failure["reason"],
                data=failure,
                epoch=self.lease.epoch,
                guard=self._guard,
                failure=failure,
                checkpoint=checkpoint,
                finished_at=timezone.now(),
            )
            self._close_stage_run(record, error)

        self._write(error, write, is_end=True)

    def stop(self) -> None:
        """Obey a pause or cancel between two stages or two polls."""
        self._write(None, lambda record: None)

    def listen(self) -> None:
        """Hear what an operator has asked for meanwhile; looks once a second at most."""
        now = time.monotonic()
        if now - self.heard_monotonic >= LISTEN_SECONDS:
            self.heard_monotonic = now
            if not Task.objects.filter(pk=self.task.pk, **self._guard).exists():
                self.reload()

    def note_progress(self) -> None:
        """Say that the task is alive though its stage takes long. For the heartbeat's thread."""
        mine = Task.objects.select_for_update(no_key=True).filter(
            pk=self.task.pk, lease_owner=self.worker
        )
        with events.record(self.plan, Actor(self.worker)) as record:
            if mine.filter(lease_epoch=self.lease.epoch).exists():
                self._note(record, EventKind.TASK_PROGRESS, self._progress())
        self.told_monotonic = time.monotonic()

    def give_back(self) -> None:
        """Release the lease without having finished, so that another may go on at once."""
        Task.objects.filter(pk=self.task.pk, lease_epoch=self.lease.epoch).update(
            lease_owner="", lease_expires_at=None, rung_at=None
        )

    # --- How they are written -----------------------------------------------------------

    @property
    def _guard(self) -> dict[str, Any]:
        """The lease is still ours, and no operator asked for anything that we have not heard."""
        return {"lease_epoch": self.lease.epoch, "control": self.task.control}

    def _write(
        self, ending: Any, write: Any, checkpoint: str = "", *, is_end: bool = False
    ) -> None:
        """Run `write` in a transaction; where an operator asked for a stop, stop instead.

        With `is_end` the task ends here, so nothing is left to be stopped.
        """
        while True:
            try:
                with events.record(self.plan, Actor(self.worker)) as record:
                    if self.task.control and not (is_end or self._ends_here(ending)):
                        self._stop(record, ending, checkpoint)
                    else:
                        write(record)
                self.told_monotonic = time.monotonic()
                return
            except ChangedSinceYouLooked:
                self.reload()

    def reload(self) -> None:
        """Read the row again; raises `Superseded` if the lease is another's by now."""
        task = (
            Task.objects.select_related("plan")
            .filter(pk=self.task.pk, lease_epoch=self.lease.epoch, lease_owner=self.worker)
            .first()
        )
        if task is None:
            raise Superseded(f"task {self.task.pk} was taken over from epoch {self.lease.epoch}")
        self.task = task
        # What was done to it in memory belonged to a transaction that is undone.
        self.stage_run = self._open_stage_run()

    def _ends_here(self, ending: Any) -> bool:
        """Whether the finished stage is the last: then nothing is left to be stopped."""
        return isinstance(ending, (Done, Skipped)) and (
            self.index == (0 if self.task.is_rolling_back else len(self.task.pipeline) - 1)
        )

    def _advance(self, record: Record, ending: Done | Skipped, checkpoint: str) -> None:
        task = self.task
        is_last = self._ends_here(ending)
        rolling_back = task.is_rolling_back
        self._count(record, ending, checkpoint)
        begun = None
        if is_last:
            record.apply(
                task,
                "finish_rollback" if rolling_back else "complete",
                EventKind.TASK_ROLLED_BACK if rolling_back else EventKind.TASK_COMPLETED,
                epoch=self.lease.epoch,
                guard=self._guard,
                finished_at=timezone.now(),
            )
        else:
            begun = self._begin()
            record.save(task, guard=self._guard)
        self._close_stage_run(record, ending)
        self._store_begun(record, begun)

    def _stop(self, record: Record, ending: Any, checkpoint: str) -> None:
        task = self.task
        verb = Control(task.control)
        if isinstance(ending, (Done, Skipped)):
            self._count(record, ending, checkpoint)
        elif isinstance(ending, StageError):
            self._note_stage_failed(record, ending, {})
        record.apply(
            task,
            verb.value,
            STOPS[verb],
            reason=task.control_reason,
            by=task.control_by,
            epoch=self.lease.epoch,
            guard=self._guard,
            finished_at=timezone.now() if verb == Control.CANCEL else None,
        )
        self._close_stage_run(record, ending or Skipped(Message(ASKED[verb])))

    def _count(self, record: Record, ending: Done | Skipped, checkpoint: str) -> None:
        """Move the cursor over the finished stage, and remember what it left."""
        task = self.task
        if task.is_rolling_back:
            task.cursor -= 1
            task.reached = task.cursor
        else:
            task.cursor += 1
            task.checkpoint = checkpoint_at(task, checkpoint)
        task.tries = 0
        if isinstance(ending, Done):
            task.context = {**task.context, **ending.data}
            if ending.previous is not None and task.previous is None:
                task.previous = ending.previous
        kind = EventKind.STAGE_SKIPPED if isinstance(ending, Skipped) else EventKind.STAGE_COMPLETED
        self._note(record, kind, {**self._progress(), **_result_of(ending)})

    def _begin(self) -> StageRun:
        task = self.task
        name = self.spec["name"]
        key = f"{name}-{self.direction.value}"
        attempt = task.attempts.get(key, 0) + 1
        task.attempts = {**task.attempts, key: attempt}
        task.step = name
        task.tries += 1
        task.wait_note = None
        task.memo = self.memo = {}
        if not task.is_rolling_back:
            task.reached = max(task.reached, task.cursor + 1)
        return StageRun(
            task=task,
            stage=name,
            index=self.index,
            direction=self.direction,
            attempt=attempt,
            epoch=self.lease.epoch,
            started_at=timezone.now(),
        )

    def _store_begun(self, record: Record, begun: StageRun | None) -> None:
        if begun is not None:
            prepared.insert([begun])
            begun.mark_stored()
            self.stage_run = begun
            self._note(record, EventKind.STAGE_STARTED, self._progress())

    def _open_stage_run(self) -> StageRun | None:
        """The stage run that was open when the task was parked or its worker lost."""
        if not self.task.tries:
            return None
        return self.task.stage_runs.filter(finished_at__isnull=True).order_by("-pk").first()

    def _end_stage_run(self, record: Record, error: StageError, data: dict[str, Any]) -> None:
        self._note_stage_failed(record, error, data)
        self._close_stage_run(record, error)

    def _close_stage_run(self, record: Record, ending: Done | Skipped | StageError) -> None:
        run = self.stage_run
        if run is None:
            return
        run.finished_at = timezone.now()
        if isinstance(ending, StageError):
            run.failure = describe_failure(ending, run.stage)
            verb = "fail"
        else:
            run.result = _result_of(ending)["result"]
            verb = "skip" if isinstance(ending, Skipped) else "complete"
        record.save_run(run, verb)
        self.stage_run = None

    def _park(self, record: Record, seconds: float) -> None:
        task = self.task
        task.give_lease_back()
        task.wake_at = in_seconds(seconds)
        task.rung_at = None
        record.save(task, guard=self._guard)

    def _note_stage_failed(self, record: Record, error: StageError, data: dict[str, Any]) -> None:
        failure = describe_failure(error, self.task.step)
        self._note(
            record,
            EventKind.STAGE_FAILED,
            {**self._progress(), **data, "failure": failure},
            failure["reason"],
        )

    def _note(
        self, record: Record, kind: EventKind, data: dict[str, Any], reason: str = ""
    ) -> None:
        record.note(kind, task=self.task, epoch=self.lease.epoch, reason=reason, data=data)

    def _progress(self) -> dict[str, Any]:
        task = self.task
        return {
            "stage": task.step,
            "direction": self.direction.value,
            "attempt": task.attempts.get(f"{task.step}-{self.direction.value}", 1),
            "finished": task.cursor,
            "total": len(task.pipeline),
        }


def describe_failure(error: StageError, stage: str) -> dict[str, Any]:
    """The failure as it is stored: kind, code, reason, stage, time and the error's own values."""
    reason = storable_text(error.message.english)
    message = storable(error.message.as_json())
    try:
        dumps(message)
        Message(**message).english  # noqa: B018 - what cannot be shown must not be stored
    except (TypeError, ValueError):  # Its values are no JSON, as another package's may be.
        message = Message("%(error)s", {"error": reason}).as_json()
    return {
        "kind": error.kind.value,
        "errorCode": error.code,
        "reason": reason,
        "message": message,
        "stage": stage,
        "retryable": error.retryable,
        "timestamp": timezone.now().isoformat(),
    }


def checkpoint_at(task: Task, step: str, failed_step: str | None = None) -> dict[str, Any]:
    """The checkpoint after `step`: what is needed to go on, in the shape of the API."""
    return {
        "step": step,
        "data": {
            "completedSteps": [spec["name"] for spec in task.pipeline[: task.cursor]],
            "failedStep": failed_step,
        },
    }


def _result_of(ending: Done | Skipped) -> dict[str, Any]:
    if isinstance(ending, Skipped):
        return {"result": {"why": ending.why.as_json()}}
    return {"result": ending.result}
