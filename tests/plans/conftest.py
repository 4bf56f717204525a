"""Small numbers, so that waits and tries of these tests take hundredths of a second."""

from collections.abc import Iterator

import pytest

from plans import conf
from plans.stages.base import RetryPolicy, Stage
from tests.plans.interrupting import Interruptions


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "ACK_POLL_SECONDS", 0.02)
    monkeypatch.setattr(Stage, "retry", RetryPolicy(first_seconds=0.01, max_seconds=0.02))


@pytest.fixture
def interruptions() -> Iterator[Interruptions]:
    """Does something right after an event was committed, in the thread that recorded it."""
    with Interruptions() as waiting:
        yield waiting
