"""Many calls at once: nobody waits long in line behind calls that hang."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from typing import TypeVar

from plans import conf

PATIENCE_SECONDS = 0.1
"""Whoever stands in line for so long gets a thread of its own."""

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


def run_all(
    calls: Mapping[Key, Callable[[], Result]],
    seconds: float,
    is_enough: Callable[[Result], bool] | None = None,
) -> dict[Key, Result]:
    """Run `calls` at once; what each returned, without those that take longer than `seconds`.

    `is_enough` hears each result as it comes; once it says so, the others are left to themselves.

    They run in threads that the process keeps, because those keep their connections. Where these
    are busy, with whatever hangs, further threads are made, `conf.HTTP_FANOUT_MORE_THREADS` at
    most, that end with their work. What a call raises comes through.
    """
    if not calls:
        return {}
    deadline = time.monotonic() + seconds
    if is_enough is None and _threads().has_room(len(calls) - 1):
        # The calling thread takes one itself: most tenants have few instances.
        *others, own = calls
        futures = {key: _threads().submit(calls[key]) for key in others}
        try:
            return {own: calls[own]()} | _results(futures, deadline)
        finally:
            _cancel(futures)
    futures = {key: _threads().submit(call) for key, call in calls.items()}
    more = None
    try:
        wait(futures.values(), PATIENCE_SECONDS)
        in_line = [key for key, future in futures.items() if future.cancel()]
        if in_line:
            width = min(len(in_line), conf.HTTP_FANOUT_MORE_THREADS)
            more = ThreadPoolExecutor(width, thread_name_prefix="instances-more")
            futures |= {key: more.submit(copy_context().run, calls[key]) for key in in_line}
        return _results(futures, deadline, is_enough)
    finally:
        _cancel(futures)
        if more is not None:
            more.shutdown(wait=False)


class _Threads:
    """The threads that the process keeps, and how many calls they have."""

    def __init__(self, width: int) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="instances")
        self._width = width
        self._lock = threading.Lock()
        self._calls = 0

    def has_room(self, calls: int) -> bool:
        """Whether so many more calls begin at once."""
        return self._calls + calls <= self._width

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        self._count(1)
        future = self._pool.submit(copy_context().run, call)
        future.add_done_callback(lambda done: self._count(-1))
        return future

    def _count(self, calls: int) -> None:
        with self._lock:
            self._calls += calls


def _results(
    futures: Mapping[Key, Future[Result]],
    deadline: float,
    is_enough: Callable[[Result], bool] | None = None,
) -> dict[Key, Result]:
    with suppress(TimeoutError):
        for future in as_completed(futures.values(), max(0.0, deadline - time.monotonic())):
            if is_enough is not None and is_enough(future.result()):
                break
    return {key: future.result() for key, future in futures.items() if future.done()}


def _cancel(futures: Mapping[Key, Future[Result]]) -> None:
    for future in futures.values():
        future.cancel()


@cache
def _threads() -> _Threads:
    return _Threads(conf.HTTP_FANOUT_THREADS)
