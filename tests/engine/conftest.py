"""Workers that only write down what they run."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from plans.engine import queue
from plans.engine.worker import ThreadedWorker
from tests.engine.notebook import Notebook
from tests.support.processes import RunningProcess
from tests.support.waiting import wait_until

QUICK_SECONDS = 25.0
"""How soon a worker leaves that has nothing to wait for, on a busy machine; less than its grace."""


class Workers:
    """Starts workers that share one folder of notes, and reads it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[RunningProcess] = []
        self._here: list[tuple[ThreadedWorker, threading.Thread]] = []

    def start_here(self, *, threads: int = 4) -> ThreadedWorker:
        """A worker in this process: it starts and stops sooner than one of its own."""
        worker = Notebook(self._folder).worker(threads, grace_seconds=30)
        thread = threading.Thread(target=worker.work, daemon=True)
        thread.start()
        self._here.append((worker, thread))
        return worker

    def start(
        self, *, threads: int = 4, grace_seconds: float = 30, **environment: str
    ) -> RunningProcess:
        module = [sys.executable, "-m", "tests.engine.worker_process"]
        name = f"worker-{len(self._started) + 1}"
        process = RunningProcess(
            name,
            [*module, str(self._folder), str(threads), str(grace_seconds)],
            {**os.environ, **environment},
            self._folder / f"{name}.log",
        )
        self._started.append(process)
        return process

    def hold(self) -> None:
        """Let tasks start and not end."""
        (self._folder / "hold").touch()

    def release(self) -> None:
        (self._folder / "hold").unlink()

    def break_task(self, task_id: int) -> None:
        """Let the task call `sys.exit`."""
        (self._folder / f"exit-{task_id}").touch()

    def ask_the_database(self) -> None:
        """Let each task ask the database something."""
        (self._folder / "ask").touch()

    def stick(self) -> None:
        """Let notes of progress begin and not end."""
        (self._folder / "stuck").touch()

    def unstick(self) -> None:
        (self._folder / "stuck").unlink()

    def notes(self) -> list[list[str]]:
        path = self._folder / "notes"
        # What stands behind the last line's end is being written.
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        return [line.split() for line in whole.splitlines()]

    def noted(self, what: str) -> list[str]:
        """What was noted behind the word `what`, in order."""
        return [words[1] for words in self.notes() if words[0] == what]

    def task_ids(self, what: str) -> list[int]:
        return [int(word) for word in self.noted(what)]

    def wait_for(self, what: str, count: int) -> None:
        wait_until(
            lambda: len(self.noted(what)) >= count,
            60,
            lambda: f"{count} times {what!r}; notes: {self.notes()}; logs: {self.logs()}",
        )

    def logs(self) -> str:
        return "".join(process.log for process in self._started)

    def stop(self) -> None:
        for obstacle in ("hold", "stuck"):
            (self._folder / obstacle).unlink(missing_ok=True)
        for worker, thread in self._here:
            worker.stop()
            with queue.connect() as client:
                # It would wait a second for a task before it looks whether it shall stop.
                client.rpush(queue.QUEUE_KEY, "something to wake up for")
            thread.join(60)
            assert not thread.is_alive()
        for process in self._started:
            process.thaw()
            process.terminate()
        for process in self._started:
            process.stop()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    started = Workers(tmp_path)
    try:
        yield started
    finally:
        started.stop()
