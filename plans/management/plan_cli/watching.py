"""Waiting for a plan or for tasks, with a progress bar."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from plans.management.plan_cli import answers, exits
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen, printable
from plans.models import ACTIVE_STATES, PlanState, Task, TaskState
from plans.queries import counts
from plans.queries.existing import existing_plan

POLL_SECONDS = 0.3
LINE_SECONDS = 2.0
GOING_ON_STATES = (*ACTIVE_STATES, TaskState.PENDING)
STILL = (
    PlanState.COMPLETED,
    PlanState.FAILED,
    PlanState.CANCELLED,
    PlanState.ROLLED_BACK,
    PlanState.ROLLBACK_FAILED,
)


@dataclass(frozen=True)
class View:
    """What one look has shown. `exit` is None while it goes on."""

    text: str
    done: int
    total: int
    exit: Exit | None


Look = Callable[[], View]


def of_plan(plan_id: int, action: str) -> Look:
    """How to look at a plan of which `action` was asked; it raises `NotFound`."""

    def look() -> View:
        plan = existing_plan(plan_id)
        by_state = counts.of_plans([plan])[plan_id]
        # A cancelled plan's tasks stop at their next boundary, and single tasks of a plan that
        # has ended may be going back.
        is_busy = any(by_state[state] for state in ACTIVE_STATES)
        stands = plan.state in STILL or (
            action in ("pause", "reject") and plan.state == PlanState.PAUSED
        )
        return View(
            f"{answers.title(plan)} {plan.state}: {answers.in_words(by_state)}",
            answers.finished(by_state),
            sum(by_state.values()),
            exits.of_state(action, plan.state) if stands and not is_busy else None,
        )

    return look


def of_tasks(task_ids: Sequence[int], action: str) -> Look:
    """How to look at tasks of which `action` was asked; the worst ending gives the exit code."""

    def look() -> View:
        tasks = list(Task.objects.filter(pk__in=task_ids))
        on = [t for t in tasks if t.state in GOING_ON_STATES or _pauses(t, action)]
        by_state = counts.none()
        for task in tasks:
            by_state[task.state] += 1
        code = max((exits.of_task(action, task) for task in tasks), default=Exit.DONE)
        return View(
            answers.in_words(by_state),
            len(tasks) - len(on),
            len(tasks),
            None if on else code,
        )

    return look


def wait(look: Look, screen: Screen, timeout_seconds: float | None) -> Exit:
    """Look until it has ended; says on the way how far it is. Raises what `look` raises."""
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    view = look()
    with _shown(view, screen) as shown:
        while view.exit is None:
            if deadline is not None and time.monotonic() >= deadline:
                shown.end(view)
                screen.warn(_("It goes on, but the time to wait is over."))
                return Exit.INTERRUPTED
            time.sleep(POLL_SECONDS)
            try:
                view = look()
            except (InterfaceError, OperationalError):
                # The database restarts; the next look opens a new connection.
                connection.close()
                continue
            shown.show(view)
        shown.end(view)
    return view.exit


def _pauses(task: Task, action: str) -> bool:
    """A paused task has not ended, unless it was to pause."""
    return task.state == TaskState.PAUSED and action != "pause"


class _Lines:
    """Where there is no terminal: a line when something changed, not too often."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._said = ""
        self._said_at = -LINE_SECONDS

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *error: object) -> None: ...

    def show(self, view: View) -> None:
        now = time.monotonic()
        if view.text != self._said and now - self._said_at >= LINE_SECONDS:
            self._screen.say(view.text)
            self._said, self._said_at = view.text, now

    def end(self, view: View) -> None:
        if view.text != self._said:
            self._screen.say(view.text)


class _Bar:
    """In a terminal: a bar."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(file=screen.terminal, highlight=False),
            transient=True,
        )
        self._row = self._progress.add_task("")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, view: View) -> None:
        self._progress.update(
            self._row, completed=view.done, total=view.total, description=printable(view.text)
        )

    def end(self, view: View) -> None:
        self._progress.stop()
        self._screen.say(view.text)


def _shown(first: View, screen: Screen) -> _Lines | _Bar:
    shown = _Bar(screen) if screen.talk.isatty() else _Lines(screen)
    shown.show(first)
    return shown
