"""The one job that RQ knows: "look at task N". Whoever runs it decides what that means."""

from collections.abc import Callable
from contextvars import ContextVar

runner: ContextVar[Callable[[int], None]] = ContextVar("runner")
"""What runs a task in this thread; each thread of a `ThreadedWorker` sets its own."""


def run_task(task_id: int) -> None:
    """Let the worker of this thread run task `task_id`.

    Raises `RuntimeError` in any other process, for example under `rqworker`: nobody would extend
    the lease there.
    """
    run = runner.get(None)
    if run is None:
        raise RuntimeError("Tasks are run by `manage.py worker`: start one of those instead.")
    run(task_id)
