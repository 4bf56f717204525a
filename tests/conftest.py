"""What every test may use: a real Redis, the sandbox, and real processes of the system."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection, connections

from tests.support import database, environment
from tests.support.processes import Processes

# Settings are read when Django is first asked for them: this comes before.
WORLD = environment.prepare()


def pytest_unconfigure() -> None:
    WORLD.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    started = getattr(item, "funcargs", {}).get("processes")
    if report.failed and isinstance(started, Processes):
        report.sections += [(f"Log of {name}", log) for name, log in started.logs()]
    return report


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> str:
    """The run's own Redis is up; its address."""
    WORLD.redis.ensure_running()
    return WORLD.redis.url


@pytest.fixture(autouse=True)
def _empty_redis(redis_server: str) -> None:
    WORLD.redis.ensure_running()
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, so that threads and processes share it."""
    database.use_file(connections.databases["default"], WORLD.folder / "test.sqlite3")


@pytest.fixture
def processes(transactional_db: None, tmp_path: Path) -> Iterator[Processes]:
    """Starts real workers, conductors and web servers on this test's database and Redis."""
    env = {**os.environ, "DATABASE_URL": database.url_of(connection.settings_dict)}
    started = Processes(tmp_path / "processes", env, WORLD.reserve_port)
    try:
        yield started
    finally:
        started.stop()
