"""The timeline of single tasks: when each stage ran, waited, was paused, and was tried again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from django.utils import timezone

from plans.models import Direction, Event, EventKind, StageRun, StageRunState, Task
from plans.queries.axis import Axis

MARKS = (EventKind.TASK_RETRY_STARTED, EventKind.TASK_TAKEN_OVER)
PAUSES = (EventKind.TASK_PAUSED, EventKind.TASK_RESUMED)
FIELDS = (
    "task_id",
    "stage",
    "direction",
    "attempt",
    "state",
    "failure",
    "started_at",
    "finished_at",
)
LOOKS = {
    StageRunState.RUNNING: "running",
    StageRunState.COMPLETED: "run",
    StageRunState.SKIPPED: "skipped",
    StageRunState.FAILED: "failed",
}


@dataclass(frozen=True)
class Span:
    """What lasted from `begin` to `end` (None: still). `look` is the name of its look.

    `wait`: inside a stage, or before its next try. `pause`: between being paused and resumed.
    """

    look: str
    begin: datetime
    end: datetime | None
    stage: str = ""
    attempt: int = 0
    code: str = ""

    @property
    def started_at(self) -> datetime:
        return self.begin

    @property
    def finished_at(self) -> datetime | None:
        return self.end


@dataclass(frozen=True)
class Drawn:
    """A span on the axis; `x` and `width` in percent."""

    span: Span
    x: str
    width: str


@dataclass(frozen=True)
class Mark:
    """A moment: an operator's retry, or another worker that took over."""

    kind: str
    x: str
    event: Event


@dataclass(frozen=True)
class TaskLine:
    """What a row of the timeline draws."""

    drawn: list[Drawn] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    held: tuple[str, str] | None = None


@dataclass(frozen=True)
class TaskLines:
    """The lines of some tasks, by the task's primary key, on one axis."""

    axis: Axis | None
    lines: dict[int, TaskLine]


def of_tasks(tasks: Sequence[Task]) -> TaskLines:
    """The lines of `tasks` from the first start among them to the last end; two statements."""
    keys = [task.pk for task in tasks]
    runs: dict[int, list[StageRun]] = {key: [] for key in keys}
    for run in StageRun.objects.filter(task__in=keys).order_by("pk").only(*FIELDS):
        runs[run.task_id].append(run)
    events: dict[int, list[Event]] = {key: [] for key in keys}
    kinds = (*MARKS, *PAUSES, EventKind.TASK_WAITING)
    told = Event.objects.filter(task__in=keys, kind__in=kinds).order_by("journal", "seq")
    for event in told.only("task_id", "kind", "at", "actor"):
        if event.task_id is not None:
            events[event.task_id].append(event)
    begun = [task.started_at for task in tasks if task.started_at]
    if not begun:
        return TaskLines(None, {key: TaskLine() for key in keys})
    now = timezone.now()
    ends = [task.finished_at or now for task in tasks if task.started_at]
    axis = Axis.of(min(begun), max(ends))
    lines = {task.pk: _line(task, runs[task.pk], events[task.pk], axis) for task in tasks}
    return TaskLines(axis, lines)


def _line(task: Task, runs: list[StageRun], events: list[Event], axis: Axis) -> TaskLine:
    if task.started_at is None:
        return TaskLine()
    spans = [
        *_of_runs(runs),
        *_waits_inside(runs, events),
        *_tries_ahead(runs, events),
        *_pauses(events),
    ]
    drawn = [Drawn(each, *axis.span(each.begin, each.end or axis.end)) for each in spans]
    marks = [Mark(e.kind, f"{axis.x(e.at):.2f}", e) for e in events if e.kind in MARKS]
    return TaskLine(drawn, marks, axis.span(task.started_at, task.finished_at or axis.end))


def _of_runs(runs: Iterable[StageRun]) -> list[Span]:
    found = []
    for run in runs:
        look = LOOKS[StageRunState(run.state)]
        if run.direction == Direction.ROLLBACK and look == "run":
            look = "back"
        code = str((run.failure or {}).get("errorCode") or "")
        found.append(Span(look, run.started_at, run.finished_at, run.stage, run.attempt, code))
    return found


def _waits_inside(runs: Iterable[StageRun], events: Iterable[Event]) -> list[Span]:
    """From the first time that a stage said it waits, to its end."""
    waits = [event.at for event in events if event.kind == EventKind.TASK_WAITING]
    found = []
    for run in runs:
        inside = [at for at in waits if run.started_at <= at <= (run.finished_at or at)]
        if inside:
            found.append(Span("wait", min(inside), run.finished_at, run.stage, run.attempt))
    return found


def _tries_ahead(runs: Sequence[StageRun], events: Iterable[Event]) -> list[Span]:
    """Between a failed try and the next one of the same stage, where no person was waited for."""
    asked = [event.at for event in events if event.kind == EventKind.TASK_RETRY_STARTED]
    found = []
    for before, after in pairwise(runs):
        is_same = (before.stage, before.direction) == (after.stage, after.direction)
        failed_at = before.finished_at if before.state == StageRunState.FAILED else None
        if failed_at is None or not is_same:
            continue
        if not any(failed_at <= at <= after.started_at for at in asked):
            found.append(Span("wait", failed_at, after.started_at, after.stage, after.attempt))
    return found


def _pauses(events: Iterable[Event]) -> list[Span]:
    found: list[Span] = []
    since: datetime | None = None
    for event in events:
        if event.kind == EventKind.TASK_PAUSED:
            since = event.at
        elif event.kind == EventKind.TASK_RESUMED and since is not None:
            found.append(Span("pause", since, event.at))
            since = None
    return found if since is None else [*found, Span("pause", since, None)]
