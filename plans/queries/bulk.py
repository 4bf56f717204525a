"""Many tasks at once: which of a selection an operation is for, and what became of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from plans.message import Message
from plans.models import Plan, Task, TaskState
from plans.queries import blast_many
from plans.queries.choices import TASK_LABELS

SHOWN_MAX = 200
"""Lines of an itemised list; the rest is counted."""

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
    """A selection, split into those that the operation is for (by state) and the others.

    `effects`: the blast radius in words. `resuming`: for a retry, how many failed tasks would go
    on from which stage.
    """

    verb: str
    total: int
    by_state: dict[TaskState, list[int]]
    effects: list[str] = field(default_factory=list)
    resuming: list[tuple[str, int]] = field(default_factory=list)
    tenants: list[str] = field(default_factory=list)

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
    def more(self) -> int:
        """Tenants that are not named."""
        return self.fitting - len(self.tenants)

    @property
    def pinned(self) -> str:
        """`STATE:1,2,3 STATE:4`, as the confirmation sends it back."""
        return " ".join(
            f"{state.value}:{','.join(map(str, ids))}" for state, ids in self.by_state.items()
        )


@dataclass(frozen=True)
class BulkOutcome:
    """What became of each task of a selection; at most `SHOWN_MAX` lines of each kind."""

    label: str
    done: int
    skipped: int
    failed: int
    done_shown: list[Task] = field(default_factory=list)
    skipped_shown: list[tuple[Task, Message]] = field(default_factory=list)
    failed_shown: list[tuple[Task, Message]] = field(default_factory=list)

    @property
    def unnamed(self) -> int:
        """How many are counted, but have no line."""
        shown = len(self.done_shown) + len(self.skipped_shown) + len(self.failed_shown)
        return self.done + self.skipped + self.failed - shown


def pick(plan: Plan, tasks: QuerySet[Task], verb: str) -> Pick:
    """Which of `tasks`, all of `plan`, the operation is for, and what it would do to them."""
    rows = list(tasks.values_list("pk", "state", "step", "tenant_id"))
    fitting = [row for row in rows if row[1] in SOURCES[verb]]
    by_state: dict[TaskState, list[int]] = {}
    for pk, state, _step, _tenant in fitting:
        by_state.setdefault(TaskState(state), []).append(pk)
    if not fitting:
        return Pick(verb, len(rows), by_state)
    counted = Counter({state.value: len(ids) for state, ids in by_state.items()})
    steps = Counter(step for _pk, state, step, _t in fitting if state == TaskState.FAILED)
    return Pick(
        verb,
        len(rows),
        by_state,
        blast_many.of_tasks(plan, tasks.filter(state__in=SOURCES[verb]), verb, counted),
        steps.most_common() if verb == "retry" else [],
        [tenant for *_rest, tenant in fitting[:SHOWN_MAX]],
    )


def outcome(
    done: Sequence[int],
    skipped: Sequence[tuple[int, Message]],
    failed: Sequence[tuple[int, Message]],
    verb: str,
) -> BulkOutcome:
    """The itemised answer."""
    shown = [*done[:SHOWN_MAX]]
    shown += [pk for pk, _ in (*skipped[:SHOWN_MAX], *failed[:SHOWN_MAX])]
    tasks = Task.objects.select_related("tenant").in_bulk(shown)

    def named(pairs: Iterable[tuple[int, Message]]) -> list[tuple[Task, Message]]:
        return [(tasks[pk], why) for pk, why in pairs if pk in tasks]

    return BulkOutcome(
        str(TASK_LABELS[verb]),
        len(done),
        len(skipped),
        len(failed),
        [tasks[pk] for pk in done[:SHOWN_MAX] if pk in tasks],
        named(skipped[:SHOWN_MAX]),
        named(failed[:SHOWN_MAX]),
    )
