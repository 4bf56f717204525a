"""What a run measured besides its verdicts."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from plans.models import Event, EventKind, StageRun, Task, TaskState
from tests.chaos.diary import Diary

SANE_SECONDS = 120.0
RAISED = re.compile(
    r"^(?:\w+\.)*(\w+(?:Error|Exception|Refused|Superseded|Exit))(?::|$)", re.MULTILINE
)
"""The last line of a traceback."""


@dataclass(frozen=True)
class Takeovers:
    """How long after a worker's loss others went on with each of its tasks, in seconds."""

    seconds: list[float]

    def __str__(self) -> str:
        if not self.seconds:
            return "none"
        return (
            f"{len(self.seconds)}, median {median(self.seconds):.1f} s, "
            f"worst {max(self.seconds):.1f} s"
        )


def takeovers(diary: Diary, plan_ids: list[int]) -> Takeovers:
    """By the wall clock of one machine; what a worker with a wrong clock wrote is left out."""
    found = []
    events = Event.objects.filter(plan__in=plan_ids, kind=EventKind.TASK_TAKEN_OVER)
    for at, data in events.values_list("at", "data"):
        lost = diary.killed_at.get(int(data["from"].split(":")[1]))
        if lost is not None and 0 <= (seconds := at.timestamp() - lost) < SANE_SECONDS:
            found.append(seconds)
    return Takeovers(found)


def raised(logs: Path) -> Counter[str]:
    """Which exceptions the processes have written down."""
    found: Counter[str] = Counter()
    for log in logs.glob("*.log"):
        found.update(RAISED.findall(log.read_text(errors="replace")))
    return found


def summary(diary: Diary, plan_ids: list[int], logs: Path) -> list[str]:
    """Lines for people."""
    tasks = Task.objects.filter(plan__in=plan_ids)
    states = {state: tasks.filter(state=state).count() for state in TaskState}
    shown = ", ".join(
        f"{count} {TaskState(state).label}" for state, count in states.items() if count
    )
    runs = StageRun.objects.filter(task__plan__in=plan_ids).count()
    events = Event.objects.filter(plan__in=plan_ids).count()
    struck = ", ".join(f"{name} × {count}" for name, count in sorted(diary.faults.items()))
    acted = ", ".join(f"{name} × {count}" for name, count in sorted(diary.actions.items()))
    return [
        f"{sum(diary.faults.values())} faults: {struck}",
        f"operators: {acted}",
        f"{len(plan_ids)} plans with {tasks.count()} tasks: {shown}",
        f"{runs} stage runs, {events} events",
        f"takeovers: {takeovers(diary, plan_ids)}",
        f"logged: {', '.join(f'{name} × {n}' for name, n in raised(logs).most_common())}",
    ]
