"""A backup that was taken in the middle of a plan is restored elsewhere, and the plan goes on."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from plans import operations
from scripts.private_postgres import find_programs
from tests.support import database, pages
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

RESTORED = "bluegreen_restored"


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[str]:
    """The address where `restore` puts a backup of the test's database; asked for before
    `processes`, so that what they use is dropped after they have ended.
    """
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.sqlite3'}"
        return
    yield database.url_of({**here, "NAME": RESTORED})
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")


def back_up_and_restore(restored: str, folder: Path) -> None:
    """As docs/operations.md says."""
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        with sqlite3.connect(restored.removeprefix("sqlite:///")) as copy:
            sqlite3.connect(here["NAME"]).backup(copy)
        return
    programs = find_programs()
    assert programs
    world = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DATABASE_URL": database.url_of(here),
        "RESTORED": restored,
    }
    for part in ("--file=bluegreen.dump", "CREATE DATABASE"):
        subprocess.run(["bash", "-euc", pages.block(part)], cwd=folder, env=world, check=True)


def test_a_plan_goes_on_from_a_restored_backup_with_an_empty_redis(
    sandbox: Sandbox, restored: str, processes: Processes, tmp_path: Path
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"], max_concurrency=1)
    operations.start_plan(plan.pk, OPERATOR)  # Handed out, and nobody is there to run it.
    back_up_and_restore(restored, tmp_path)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.flushall()

    processes.worker(DATABASE_URL=restored)
    processes.conductor(DATABASE_URL=restored)
    wait_until(
        lambda: [sandbox.status(f"tenant-00{n}") for n in (1, 2)] == ["GREEN", "GREEN"],
        150,
    )
    script = "from plans.models import Plan; print('The plan is', Plan.objects.get().state)"

    def state() -> str:
        shell = processes.manage("shell", "-c", script, DATABASE_URL=restored)
        assert shell.wait(150) == 0, shell.log
        return shell.log

    wait_until(lambda: "The plan is COMPLETED" in state(), 150)
    verified = processes.manage("verify_audit", DATABASE_URL=restored)
    assert verified.wait(150) == 0, verified.log
    plan = type(plan).objects.get()
    assert plan.state == "RUNNING", "the database that was backed up is as it was"
