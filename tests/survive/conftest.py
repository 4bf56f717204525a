"""Processes that are killed, frozen and started again, and a Redis that comes and goes."""

from collections.abc import Iterator

import pytest

from tests.support.processes import Processes
from tests.survive.crew import Crew
from tests.survive.redis_server import RedisServer


@pytest.fixture
def crew(processes: Processes) -> Crew:
    """Workers and conductors, started by the test."""
    return Crew(processes)


@pytest.fixture
def redis_at_risk(redis_server: str) -> Iterator[RedisServer]:
    """The run's Redis; the test may kill it."""
    server = RedisServer(redis_server)
    try:
        yield server
    finally:
        server.close()
