"""Processes that are killed, frozen and started again, and a Redis that comes and goes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.support import database
from tests.support.processes import Processes
from tests.survive.crew import SHORT_LEASE, Crew
from tests.survive.nursery import Nursery
from tests.survive.redis_server import RedisServer


@pytest.fixture(scope="session")
def nursery(django_db_setup: None) -> Iterator[Nursery]:
    """What forks this folder's workers and conductors."""
    url = database.url_of(connection.settings_dict)
    # Who is told to stop may take as long to come to a stage's end as a test waits for it.
    patience = {"WORKER_GRACE_SECONDS": "50"}
    started = Nursery({**os.environ, "DATABASE_URL": url, **SHORT_LEASE, **patience})
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def crew(processes: Processes, nursery: Nursery, tmp_path: Path) -> Iterator[Crew]:
    """Workers and conductors, started by the test."""
    started = Crew(processes, nursery, tmp_path / "crew")
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def redis_at_risk(redis_server: str) -> Iterator[RedisServer]:
    """The run's Redis; the test may kill it."""
    server = RedisServer(redis_server)
    try:
        yield server
    finally:
        server.close()
