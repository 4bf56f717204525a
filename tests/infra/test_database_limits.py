"""A database connection whose other side is gone is noticed, and does not hold locks."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection

from tests.support.processes import ROOT

READ = """
import json
from django.conf import settings
print(json.dumps(settings.DATABASES["default"]["OPTIONS"]))
"""


def options_of(database_url: str, command: str = "check") -> dict[str, Any]:
    """What the settings of a command make of the address."""
    env = {**os.environ, "DATABASE_URL": database_url}
    told = subprocess.check_output([sys.executable, "-c", READ, command], cwd=ROOT, env=env)
    options: dict[str, Any] = json.loads(told)
    return options


def test_a_postgresql_that_is_cut_off_is_noticed_in_seconds_and_the_address_may_say_otherwise() -> (
    None
):
    usual = options_of("postgres://bluegreen@db.example.net/bluegreen")
    other = options_of("postgres://bluegreen@db.example.net/bluegreen?connect_timeout=3")

    assert (usual["connect_timeout"], usual["tcp_user_timeout"]) == (5, 10_000)
    assert (usual["keepalives_idle"], usual["keepalives_interval"]) == (5, 1)
    assert other == {**usual, "connect_timeout": 3}


def test_a_worker_that_is_frozen_in_a_transaction_gives_its_locks_back_within_half_a_lease() -> (
    None
):
    url = "postgres://bluegreen@db.example.net/bluegreen"
    limit = "-c idle_in_transaction_session_timeout="
    assert f"{limit}5s" in options_of(url, "worker")["options"]
    assert f"{limit}20s" in options_of(url, "conductor")["options"]


@pytest.mark.django_db
def test_postgresql_looks_for_clients_that_are_gone_also_while_they_wait_for_a_lock() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clients")
    with connection.cursor() as cursor:
        cursor.execute("SHOW client_connection_check_interval")
        assert cursor.fetchone() == ("2s",)
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("20s",)
