"""What a task's page says: its stages, its failure, what a retry would run."""

from dataclasses import dataclass, field
from datetime import datetime

from plans.message import Message
from plans.models import Direction, StageRun, StageRunState, Task, TaskState
from plans.queries.condition import Condition, condition_of
from plans.queries.effects import Trace, effects_of
from plans.queries.funnel import BACKWARD
from plans.queries.told import ToldService, told_services
from plans.queries.wall import SETTLED, SWITCHING_STAGE

OPEN_STEP = {TaskState.RUNNING: "running", TaskState.ROLLING_BACK: "undoing"}
"""How the stage whose run is open shows, by the state of its task; else it was stopped."""


@dataclass(frozen=True)
class RailStep:
    """One stage on the rail.

    `status` is `done`, `running`, `undoing`, `failed`, `undone`, `skipped`, `stopped` or `ahead`.
    """

    number: int
    name: str
    status: str
    runs: list[StageRun] = field(default_factory=list)
    is_checkpoint: bool = False
    told: list[ToldService] = field(default_factory=list)

    @property
    def last(self) -> StageRun | None:
        return self.runs[-1] if self.runs else None

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took; None while it runs."""
        run = self.last
        if run is None or run.finished_at is None:
            return None
        return (run.finished_at - run.started_at).total_seconds()

    @property
    def why(self) -> str:
        """Why the last attempt failed or was skipped."""
        run = self.last
        stored = (run.failure or {}).get("message") if run else None
        stored = stored or ((run.result or {}).get("why") if run else None)
        return str(Message.from_json(stored)) if stored else ""


@dataclass(frozen=True)
class Failure:
    """What happened, where, and what it left behind: the stages that stand `finished`, and what
    the failed one may have changed.
    """

    stage: str
    code: str
    kind: str
    message: str
    at: datetime | None
    finished: list[str]
    trace: Trace
    is_rollback: bool


def condition(task: Task) -> Condition:
    """The condition of `task`."""
    return condition_of(task.state, task.admitted, task.lease_owner, task.wake_at, task.control)


def stage_runs(task: Task) -> list[StageRun]:
    """All attempts, oldest first."""
    return list(task.stage_runs.order_by("pk"))


def rail(task: Task, runs: list[StageRun]) -> list[RailStep]:
    """The task's stages in order, with what became of each."""
    steps = []
    for index, spec in enumerate(task.pipeline):
        own = [run for run in runs if run.index == index]
        marked = task.checkpoint is not None and index == task.cursor - 1
        status = _status(task, index, own)
        told = told_services(task, own[-1] if own else None)
        steps.append(RailStep(index + 1, spec["name"], status, own, marked, told))
    return steps


def _status(task: Task, index: int, runs: list[StageRun]) -> str:
    last = runs[-1] if runs else None
    if last is None:
        return "ahead"
    if last.state == StageRunState.RUNNING:
        return OPEN_STEP.get(TaskState(task.state), "stopped")
    if last.state == StageRunState.FAILED and index >= task.cursor - 1:
        return "failed"
    if last.direction == Direction.ROLLBACK and index >= task.cursor:
        return "undone"
    if index < task.cursor:
        return "skipped" if last.state == StageRunState.SKIPPED else "done"
    return "ahead" if last.state == StageRunState.COMPLETED else "stopped"


def traffic_moved(task: Task, runs: list[StageRun]) -> str:
    """Whether the tenant's traffic is at the target though its switch is not at its end.

    `moved`, `perhaps`, or nothing where it is not, or where the switch is at its end.
    """
    names = [spec["name"] for spec in task.pipeline]
    if SWITCHING_STAGE not in names or task.state in SETTLED:
        return ""
    switch = names.index(SWITCHING_STAGE)
    if task.reached <= switch:
        return ""
    if _trace_of(SWITCHING_STAGE, Direction.FORWARD, runs) == Trace.REFUSED:
        return ""
    return "moved" if task.cursor > switch and task.state not in BACKWARD else "perhaps"


def failure_of(task: Task, runs: list[StageRun]) -> Failure | None:
    """The task's failure, if it has one."""
    stored = task.failure
    if not stored:
        return None
    message = Message.from_json(stored.get("message"))
    at = stored.get("timestamp")
    is_rollback = task.state == TaskState.ROLLBACK_FAILED
    direction = Direction.ROLLBACK if is_rollback else Direction.FORWARD
    return Failure(
        stage=stored.get("stage", ""),
        code=stored.get("errorCode", ""),
        kind=stored.get("kind", ""),
        message=str(message) if message else stored.get("reason", ""),
        at=datetime.fromisoformat(at) if at else None,
        finished=[spec["name"] for spec in task.pipeline[: task.cursor - is_rollback]],
        trace=_trace_of(stored.get("stage", ""), direction, runs),
        is_rollback=is_rollback,
    )


def _trace_of(stage: str, direction: Direction, runs: list[StageRun]) -> Trace:
    own = [run for run in runs if run.stage == stage and run.direction == direction]
    return effects_of(own).trace


def stages_of(task: Task, verb: str, *, from_checkpoint: bool = True) -> list[str]:
    """The stages that `verb` would run, or undo in that order; none where it runs none."""
    if verb == "rollback":
        return [spec["name"] for spec in reversed(task.pipeline[: task.reached])]
    if verb == "resume":
        return [spec["name"] for spec in task.pipeline[task.cursor :]]
    if verb == "retry":
        restart = not from_checkpoint or task.state == TaskState.ROLLED_BACK
        return [spec["name"] for spec in task.pipeline[0 if restart else task.cursor :]]
    return []
