"""Ask what may never answer, and wait for a while only."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connections

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    """Something to ask, in a thread of its own; all who ask meanwhile wait for the same answer.

    Time-outs of a driver end waiting for a connection or for a packet, but nothing ends waiting
    for a server that is frozen, or for a name to be looked up. At most one thread hangs there.
    """

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._under_way: Future[Answer] | None = None

    def answer(self, timeout_seconds: float) -> Answer:
        """What `ask` returns or raises; raises `TimeoutError` if it takes longer."""
        with self._lock:
            future = self._under_way
            if future is None or future.done():
                future = self._under_way = Future()
                threading.Thread(target=self._run, args=(future,), daemon=True).start()
        return future.result(timeout_seconds)

    def _run(self, future: Future[Answer]) -> None:
        try:
            answer = self._ask()
        # Whoever waits gets it.
        except BaseException as raised:
            future.set_exception(raised)
        else:
            future.set_result(answer)
        finally:
            connections.close_all()
