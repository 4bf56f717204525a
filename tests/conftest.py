"""What every test may use: a real Redis, the sandbox, and real processes of the system."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import django
import pytest
import redis
from django.conf import settings
from django.db import connection, connections
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.support import database, environment
from tests.support.browser import launch
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

if settings.configured:
    raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: the tests make their own settings")
# The same examples every time, and as slow as the machine is.
hypothesis_settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("tests")
WORLD = environment.prepare()
# Before any module of a test imports a model.
django.setup()


def pytest_unconfigure() -> None:
    WORLD.close()


def pytest_xdist_setupnodes() -> None:
    # The runners inherit it, and would read the settings before they have made their own world.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_xdist_auto_num_workers() -> int:
    # Half of what the tests do is waiting.
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # Half a character in a captured log cannot be sent by one of pytest-xdist's runners.
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; nobody has it open any more when it is dropped."""
    yield
    with django_db_blocker.unblock():
        database.end_other_sessions()


@pytest.fixture
def processes(transactional_db: None, tmp_path: Path) -> Iterator[Processes]:
    """Starts real workers, conductors and web servers on this test's database and Redis."""
    env = {**os.environ, "DATABASE_URL": database.url_of(connection.settings_dict)}
    started = Processes(tmp_path / "processes", env, WORLD.reserve_port)
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def _sandbox(redis_server: str) -> Iterator[Sandbox]:
    with Sandbox(port=WORLD.sandbox_port) as started:
        yield started


@pytest.fixture
def sandbox(_sandbox: Sandbox, _empty_redis: None) -> Sandbox:
    """The sandbox as new: 60 tenants on blue, no faults, an empty record."""
    _sandbox.reset()
    return _sandbox


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser; without one the test is skipped, in CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    if os.environ.get("CI"):
        pytest.fail("there is no Chromium on this machine")
    pytest.skip("there is no Chromium on this machine: apt-get install chromium")


@pytest.fixture
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A headless Chromium."""
    # Playwright has a loop in this thread; the test itself is not asynchronous.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        yield browser
        browser.close()
