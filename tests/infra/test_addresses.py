"""An address that cannot be read is refused with words, and its password is not repeated."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from bluegreen import addresses
from tests.support.processes import ROOT

PASSWORD = "s3cr"


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:s3cr/et@host/db",
        "postgres://u:s3cret@host:54x32/db",
        "mysql://u:s3cret@host/db",
        "postgress://u:s3cret@host/db",
        "s3cret",
    ],
)
def test_the_database(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL cannot be read") as refused:
        addresses.database("DATABASE_URL", url)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["redis://:s3cr/et@host:6379/0", "redis://:s3cret@host:6x3/0", "http://:s3cret@host", "s3cret"],
)
def test_redis(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL cannot be read") as refused:
        addresses.redis("REDIS_URL", url)
    assert PASSWORD not in str(refused.value)


def test_passwords_that_are_written_as_the_message_says() -> None:
    url = "postgres://u:%2F%40%3A%23%3F%25@host:5433/db"
    assert addresses.database("DATABASE_URL", url)["PASSWORD"] == "/@:#?%"
    assert addresses.redis("REDIS_URL", "redis://:%2F%40@host") == "redis://:%2F%40@host"


def test_a_command_prints_the_message_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "postgres://u:s3cr/et@host/db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL cannot be read.")
    assert PASSWORD not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) == 1
