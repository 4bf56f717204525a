"""Tasks that only write down that they ran, in a file that threads and processes share."""

import os
import sys
import time
from pathlib import Path

from django.db import connection

from plans.engine.worker import ThreadedWorker

POLL_SECONDS = 0.01


class Notebook:
    """FOLDER/notes, a line each. While FOLDER/hold exists, tasks do not end; where FOLDER/exit-N
    exists, task N calls `sys.exit`; where FOLDER/ask exists, tasks ask the database something;
    while FOLDER/stuck exists, a note of progress does not end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notes = os.open(folder / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def worker(self, threads: int, grace_seconds: float) -> ThreadedWorker:
        """A worker whose tasks and hooks write here."""
        worker = ThreadedWorker(
            self.perform,
            threads=threads,
            grace_seconds=grace_seconds,
            on_heartbeat=lambda name: self.write("beat", name),
            on_progress=self.note_progress,
            on_stopping=lambda name: self.write("stopping", name),
            on_shutdown=lambda name: self.write("shutdown", name),
        )
        self.write("ready", worker.name)
        return worker

    def write(self, *words: object) -> None:
        os.write(self._notes, f"{' '.join(map(str, words))}\n".encode())

    def note_progress(self, worker_name: str) -> None:
        while (self._folder / "stuck").exists():
            time.sleep(POLL_SECONDS)
        self.write("progress", worker_name)

    def perform(self, task_id: int, worker_name: str) -> None:
        self.write("started", task_id)
        if (self._folder / f"exit-{task_id}").exists():
            sys.exit("a task must not be able to do this")
        if (self._folder / "ask").exists():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        while (self._folder / "hold").exists():
            time.sleep(POLL_SECONDS)
        self.write("ended", task_id)
