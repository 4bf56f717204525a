"""A conductor on a database that was not migrated says what to do, once, and then conducts."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes

TO_DO = "manage.py migrate"


def test_a_conductor_asks_once_for_migrations_and_leads_when_they_are_there(
    processes: Processes, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    conductor = processes.conductor(DATABASE_URL=url)
    conductor.wait_for_log(TO_DO)
    migrate = processes.manage("migrate", "--noinput", DATABASE_URL=url)
    assert migrate.wait(120) == 0, migrate.log
    with sqlite3.connect(tmp_path / "new.sqlite3") as database:
        wait_until(lambda: database.execute("SELECT * FROM plans_leadership").fetchall())

    conductor.terminate()
    assert conductor.wait() == 0
    assert conductor.log.count(TO_DO) == 1
    assert "Traceback" not in conductor.log
