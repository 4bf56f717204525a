"""The estimates that requests share."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from plans.queries import paces
from plans.queries.pace import Pace


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[object, ...], object]]:
    shared: dict[tuple[object, ...], object] = {}
    monkeypatch.setattr(paces, "_known", shared)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield shared
    sys.setswitchinterval(interval)


def test_requests_that_share_the_estimates_do_not_trip_over_each_other(
    known: dict[tuple[object, ...], object],
) -> None:
    ended = threading.Event()
    pace = Pace.__new__(Pace)

    def add() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            known[(number,)] = (time.monotonic(), pace)
            if len(known) > 3000:
                known.clear()

    adding = threading.Thread(target=add)
    adding.start()
    try:
        for _ in range(5000):
            assert paces.paces_of([]) == {}
    finally:
        ended.set()
        adding.join()
