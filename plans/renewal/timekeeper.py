"""The thread that turns the wheel, and does nothing else: it never waits for anything but time."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from plans.renewal.wheel import Timer, TimingWheel

logger = logging.getLogger(__name__)

Action = Callable[[], None]


class Timekeeper(threading.Thread):
    """Calls what is due. An action must be quick: compute, and put into queues."""

    def __init__(self, tick_seconds: float) -> None:
        super().__init__(name="renewal-wheel", daemon=True)
        self._tick_seconds = tick_seconds
        self._wheel: TimingWheel[Action] = TimingWheel(tick_seconds, time.monotonic())
        self._inbox: deque[Action] = deque()
        self._stopped = threading.Event()
        self.ticks = 0
        """How often the wheel was turned; it goes on whatever Redis does."""

    def run(self) -> None:
        while not self._stopped.wait(self._tick_seconds):
            self.ticks += 1
            while self._inbox:
                self._do(self._inbox.popleft())
            for action in self._wheel.advance(time.monotonic()):
                self._do(action)

    def stop(self) -> None:
        """Stand still after the present tick, and wait for that."""
        self._stopped.set()
        if self.is_alive():
            self.join()

    def call(self, action: Action) -> None:
        """Have `action` called with the next tick. From any thread."""
        self._inbox.append(action)

    def at(self, due_monotonic: float, action: Action) -> Timer:
        """Have `action` called then. Only from within an action."""
        return self._wheel.schedule(due_monotonic, action)

    def cancel(self, timer: Timer) -> None:
        """Do not call it. Only from within an action."""
        self._wheel.cancel(timer)

    def _do(self, action: Action) -> None:
        try:
            action()
        except Exception:
            logger.exception("An action of the wheel failed")
