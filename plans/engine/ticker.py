"""A thread that does one thing again and again."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connections

logger = logging.getLogger(__name__)


class Ticker(threading.Thread):
    """Calls `action` now and then every `seconds`, whatever it raises, until `stop()`.

    An action that takes long does not shift the ones after it; those that were missed are not
    made up for.
    """

    def __init__(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._seconds = seconds
        self._action = action
        self._stopped = threading.Event()

    def run(self) -> None:
        due = time.monotonic()
        try:
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                try:
                    self._action()
                except Exception:
                    logger.exception(
                        "%s failed; it is tried again in %g s.", self.name, self._seconds
                    )
                due = max(due + self._seconds, time.monotonic())
        finally:
            connections.close_all()

    def stop(self, wait_seconds: float) -> None:
        """Let the running action end, but wait no longer than `wait_seconds` for it."""
        self._stopped.set()
        self.join(wait_seconds)
