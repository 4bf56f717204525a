"""Threads for what may wait: scanning, asking functions, reading rows."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
"""When nothing was begun for so long though something waits, all threads hang."""
MORE_MAX = 56

Work = Callable[[], None]


class Helpers:
    """A few daemon threads, so that a function that never returns keeps no process alive.

    Nor does it keep other work waiting: where all of them hang, `relieve` makes more.
    """

    def __init__(self, count: int) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._begun_monotonic = time.monotonic()
        self._more: list[threading.Thread] = []
        self._threads = [
            threading.Thread(target=self._work, name=f"renewal-helper-{n}", daemon=True)
            for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work) -> None:
        """Have `work` done soon; never waits."""
        self._queue.put(work)

    def relieve(self) -> None:
        """Make further threads where all hang; they end when nothing waits any more."""
        self._more = [thread for thread in self._more if thread.is_alive()]
        is_stuck = time.monotonic() - self._begun_monotonic >= PATIENCE_SECONDS
        if not is_stuck or len(self._more) >= MORE_MAX:
            return
        for number in range(min(self._queue.qsize(), len(self._threads))):
            name = f"renewal-helper-more-{number}"
            thread = threading.Thread(target=self._work_off, name=name, daemon=True)
            self._more.append(thread)
            thread.start()

    def stop(self, wait_seconds: float) -> None:
        """Begin nothing more that was not begun."""
        for _ in self._threads + self._more:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(wait_seconds / len(self._threads))

    def _work(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                self._do(work)
        finally:
            connections.close_all()

    def _work_off(self) -> None:
        try:
            while (work := self._queue.get_nowait()) is not None:
                self._do(work)
        except queue.Empty:
            pass
        finally:
            connections.close_all()

    def _do(self, work: Work) -> None:
        self._begun_monotonic = time.monotonic()
        close_old_connections()
        try:
            work()
        except (Exception, SystemExit):
            logger.exception("Helping with renewals failed")
