"""Many calls at once: how long they take together, whoever hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from plans import conf
from plans.clients.fan_out import run_all

FAR = 120.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs in a test hangs on this, and ends with it."""
    opened = threading.Event()
    yield opened
    opened.set()


def test_what_each_call_returned_is_told_by_its_key() -> None:
    calls: dict[int, Callable[[], int]] = {n: partial(pow, n, 2) for n in range(100)}
    assert run_all(calls, FAR) == {n: n * n for n in range(100)}


def test_more_calls_than_threads_are_all_under_way_at_once() -> None:
    count = conf.HTTP_FANOUT_THREADS * 4
    together = threading.Barrier(count, timeout=60)
    assert len(run_all(dict.fromkeys(range(count), together.wait), FAR)) == count


def test_what_hangs_is_left_out_and_hides_nothing_else(gate: threading.Event) -> None:
    calls: dict[int, Callable[[], object]] = {n: partial(pow, n, 2) for n in range(50)}
    began = time.monotonic()
    found = run_all(calls | dict.fromkeys(range(50, 60), gate.wait), 5.0)
    assert found == {n: n * n for n in range(50)}
    assert time.monotonic() - began < FAR / 2


def test_other_calls_that_hang_in_the_same_process_delay_nobody(gate: threading.Event) -> None:
    hanging = dict.fromkeys(range(conf.HTTP_FANOUT_THREADS + 5), gate.wait)
    other = threading.Thread(target=run_all, args=(hanging, FAR))
    other.start()
    try:
        for _ in range(3):
            assert run_all({n: partial(pow, n, 2) for n in range(3)}, FAR) == {0: 0, 1: 1, 2: 4}
    finally:
        gate.set()
        other.join()


def test_what_a_call_raises_comes_through_and_stops_the_rest(gate: threading.Event) -> None:
    def fail() -> None:
        raise LookupError("nobody there")

    for count in (2, conf.HTTP_FANOUT_THREADS * 2):
        calls: dict[int, Callable[[], object]] = dict.fromkeys(range(count), fail)
        with pytest.raises(LookupError):
            run_all(calls, FAR)
