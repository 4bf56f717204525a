"""A real worker process whose tasks only write down that they ran.

`python -m tests.engine.worker_process FOLDER THREADS GRACE_SECONDS`: notes go to FOLDER/notes, a
line each. While FOLDER/hold exists, tasks do not end; where FOLDER/exit-N exists, task N calls
`sys.exit`.
"""

import os
import sys
import time
from pathlib import Path

import django

django.setup()

from plans.engine.worker import ThreadedWorker  # noqa: E402  Django comes first

POLL_SECONDS = 0.01


class Notebook:
    """Lines in a file that many threads and processes append to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notes = os.open(folder / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, *words: object) -> None:
        os.write(self._notes, f"{' '.join(map(str, words))}\n".encode())

    def perform(self, task_id: int, worker_name: str) -> None:
        self.write("started", task_id)
        if (self._folder / f"exit-{task_id}").exists():
            sys.exit("a task must not be able to do this")
        while (self._folder / "hold").exists():
            time.sleep(POLL_SECONDS)
        self.write("ended", task_id)


def main(folder: str, threads: str, grace_seconds: str) -> None:
    notebook = Notebook(Path(folder))
    worker = ThreadedWorker(
        notebook.perform,
        threads=int(threads),
        grace_seconds=float(grace_seconds),
        on_heartbeat=lambda name: notebook.write("beat", name),
        on_stopping=lambda name: notebook.write("stopping", name),
        on_shutdown=lambda name: notebook.write("shutdown", name),
    )
    notebook.write("ready", worker.name)
    if not worker.work():
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
