"""Threads for what may wait: scanning, asking functions, reading rows."""

import logging
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)


class Helpers:
    """A few daemon threads, so that a function that never returns keeps no process alive."""

    def __init__(self, count: int) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"renewal-helper-{n}", daemon=True)
            for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None]) -> None:
        """Have `work` done soon; never waits."""
        self._queue.put(work)

    def stop(self, wait_seconds: float) -> None:
        """Begin nothing more that was not begun."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(wait_seconds / len(self._threads))

    def _work(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                close_old_connections()
                try:
                    work()
                except Exception:
                    logger.exception("Helping with renewals failed")
        finally:
            connections.close_all()
