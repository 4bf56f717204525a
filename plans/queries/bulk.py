"""Many tasks at once: which of a selection an operation is for, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from plans.message import Message
from plans.models import Task, TaskState
from plans.queries.choices import TASK_LABELS

CHUNK = 500
SHOWN_MAX = 200
"""Lines of an itemised answer; the rest is counted."""

SOURCES: dict[str, tuple[TaskState, ...]] = {
    "pause": (TaskState.RUNNING,),
    "resume": (TaskState.PAUSED,),
    "cancel": (TaskState.PENDING, TaskState.RUNNING, TaskState.PAUSED),
    "retry": (TaskState.FAILED, TaskState.ROLLED_BACK),
    "rollback": (
        TaskState.COMPLETED,
        TaskState.FAILED,
        TaskState.PAUSED,
        TaskState.CANCELLED,
        TaskState.ROLLBACK_FAILED,
    ),
}
"""The states from which a task can take an operation; the facade has the last word."""


@dataclass(frozen=True)
class Pick:
    """A selection, split into those that the operation is for (by state) and the others."""

    verb: str
    total: int
    by_state: dict[TaskState, list[int]]

    @property
    def label(self) -> str:
        return str(TASK_LABELS[self.verb])

    @property
    def fitting(self) -> int:
        return sum(len(ids) for ids in self.by_state.values())

    @property
    def unfit(self) -> int:
        return self.total - self.fitting

    @property
    def pinned(self) -> str:
        """`STATE:1,2,3 STATE:4`, as the confirmation sends it back."""
        return " ".join(
            f"{state.value}:{','.join(map(str, ids))}" for state, ids in self.by_state.items()
        )


@dataclass(frozen=True)
class Outcome:
    """What became of each task of a selection; at most `SHOWN_MAX` lines of each kind."""

    label: str
    done: int
    skipped: int
    done_shown: list[Task] = field(default_factory=list)
    skipped_shown: list[tuple[Task, Message]] = field(default_factory=list)


def pick(tasks: QuerySet[Task], verb: str) -> Pick:
    """Which of `tasks` the operation is for."""
    rows = list(tasks.values_list("pk", "state"))
    by_state: dict[TaskState, list[int]] = {}
    for pk, state in rows:
        if state in SOURCES[verb]:
            by_state.setdefault(TaskState(state), []).append(pk)
    return Pick(verb, len(rows), by_state)


def outcome(done: list[int], skipped: list[tuple[int, Message]], verb: str) -> Outcome:
    """The itemised answer."""
    tasks = _with_tenants([*done[:SHOWN_MAX], *(pk for pk, _ in skipped[:SHOWN_MAX])])
    return Outcome(
        str(TASK_LABELS[verb]),
        len(done),
        len(skipped),
        [tasks[pk] for pk in done[:SHOWN_MAX] if pk in tasks],
        [(tasks[pk], why) for pk, why in skipped[:SHOWN_MAX] if pk in tasks],
    )


def _with_tenants(task_ids: Iterable[int]) -> dict[int, Task]:
    return Task.objects.select_related("tenant").in_bulk(list(task_ids))
