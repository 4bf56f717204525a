"""Servers that misbehave, and limits short enough to wait for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from plans import conf
from tests.clients.raw_server import Play, RawServer

Serve = Callable[[Play], RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a raw server; all of them end with the test."""
    with ExitStack() as stack:
        yield lambda play: stack.enter_context(RawServer(play))


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> float:
    """One call may last this many seconds."""
    monkeypatch.setattr(conf, "HTTP_TIMEOUT_SECONDS", 1.0)
    return 1.0
