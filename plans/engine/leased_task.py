"""What one worker holds: a task, its lease, the open stage run, and where it stands."""

import time
from dataclasses import dataclass, field
from typing import Any

from plans.effects import Ledger
from plans.engine import lease as leases
from plans.engine.clock import database_now, in_seconds
from plans.engine.group_commit import RunnerRecord
from plans.engine.reports import checkpoint_at, describe_failure, result_of
from plans.errors import StageError, Superseded
from plans.events import Record
from plans.models import ACTIVE_STATES, Direction, EventKind, Plan, StageRun, Task
from plans.stages.base import Done, Skipped


@dataclass
class LeasedTask:
    """A task whose lease this process holds, and the stage run that is open.

    The methods that take a `RunnerRecord` are parts of a transaction, put together by `TaskRun`.
    """

    task: Task
    worker: str
    lease: leases.Lease
    stage_run: StageRun | None = None
    memo: dict[str, Any] = field(default_factory=dict)
    told_monotonic: float = field(default_factory=time.monotonic)
    heard_monotonic: float = field(default_factory=time.monotonic)
    _ledgers: dict[int, Ledger] = field(default_factory=dict)
    """The ledger of the open stage run, by its key."""

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
        """How long ago the open stage run began: perhaps on another machine, with another clock."""
        assert self.stage_run is not None
        return (database_now() - self.stage_run.started_at).total_seconds()

    @property
    def ledger(self) -> Ledger:
        """What the open stage run has called so far, also before it was parked."""
        assert self.stage_run is not None
        key = self.stage_run.pk
        if key not in self._ledgers:
            self._ledgers = {key: Ledger(self.stage_run.effects)}
        return self._ledgers[key]

    # --- Parts of a transaction ---------------------------------------------------------

    @property
    def guard(self) -> dict[str, Any]:
        """The lease is still ours, and no operator asked for anything that we have not heard."""
        return {"lease_epoch": self.lease.epoch, "control": self.task.control}

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
        self.stage_run = self.open_stage_run()

    def ends_here(self, ending: Any) -> bool:
        """Whether the finished stage is the last: then nothing is left to be stopped."""
        return isinstance(ending, (Done, Skipped)) and (
            self.index == (0 if self.task.is_rolling_back else len(self.task.pipeline) - 1)
        )

    def count(self, record: RunnerRecord, ending: Done | Skipped, checkpoint: str) -> None:
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
        self.note(record, kind, {**self.progress(), **self.took(), **result_of(ending)})

    def begin(self) -> StageRun:
        """Enter the stage at hand in the task's row; its stage run is yet to be stored."""
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
            started_at=database_now(),
        )

    def store_begun(self, record: RunnerRecord, begun: StageRun | None) -> None:
        """Store the stage run that was begun, if one was."""
        if begun is not None:
            record.begin_run(begun)
            self.stage_run = begun
            self.note(record, EventKind.STAGE_STARTED, self.progress())

    def open_stage_run(self) -> StageRun | None:
        """The stage run that was open when the task was parked or its worker lost."""
        if not self.task.tries:
            return None
        return self.task.stage_runs.filter(finished_at__isnull=True).order_by("-pk").first()

    def end_stage_run(self, record: RunnerRecord, error: StageError, data: dict[str, Any]) -> None:
        self.note_stage_failed(record, error, data)
        self.close_stage_run(record, error)

    def close_stage_run(self, record: RunnerRecord, ending: Done | Skipped | StageError) -> None:
        """End the open stage run as the stage ended."""
        run = self.stage_run
        if run is None:
            return
        run.finished_at = max(run.started_at, database_now())
        if isinstance(ending, StageError):
            run.failure = describe_failure(ending, run.stage)
            verb = "fail"
        else:
            run.result = result_of(ending)["result"]
            verb = "skip" if isinstance(ending, Skipped) else "complete"
        self.enter_effects(run)
        record.end_run(run, verb)
        self.stage_run = None

    def enter_effects(self, run: StageRun) -> None:
        """Enter in the stage run's row what it has called."""
        if run.pk in self._ledgers:
            run.effects = self._ledgers[run.pk].as_json()

    def park_for(self, record: RunnerRecord, seconds: float) -> None:
        task = self.task
        task.give_lease_back()
        task.wake_at = in_seconds(seconds)
        task.rung_at = None
        record.save(task, guard=self.guard)
        if self.stage_run is not None:
            # Another worker goes on, and what this one has called is known here alone.
            self.enter_effects(self.stage_run)
            record.save_run(self.stage_run)

    def note_stage_failed(
        self, record: RunnerRecord, error: StageError, data: dict[str, Any]
    ) -> None:
        failure = describe_failure(error, self.task.step)
        self.note(
            record,
            EventKind.STAGE_FAILED,
            {**self.progress(), **self.took(), **data, "failure": failure},
            failure["reason"],
        )

    def note(self, record: Record, kind: EventKind, data: dict[str, Any], reason: str = "") -> None:
        record.note(kind, task=self.task, epoch=self.lease.epoch, reason=reason, data=data)

    def took(self) -> dict[str, float]:
        """How long the stage run took that ends here, its waits included."""
        if self.stage_run is None:
            return {}
        # Two processes know the database's time within some milliseconds.
        return {"seconds": max(0.0, round(self.elapsed_seconds, 3))}

    def progress(self) -> dict[str, Any]:
        task = self.task
        return {
            "stage": task.step,
            "direction": self.direction.value,
            "attempt": task.attempts.get(f"{task.step}-{self.direction.value}", 1),
            "finished": task.cursor,
            "reached": task.reached,
            "total": len(task.pipeline),
        }
