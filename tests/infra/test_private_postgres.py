"""The private PostgreSQL cluster: there while its command runs, and gone without a trace after."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "private_postgres.py"
QUERY = """
import os, psycopg
print(os.environ["DATABASE_URL"])
print(psycopg.connect(os.environ["DATABASE_URL"]).execute("select 40 + 2").fetchone()[0])
raise SystemExit(7)
"""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *command],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=90,
        check=False,
    )


@pytest.fixture(scope="module")
def _initdb() -> None:
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("there is no PostgreSQL on this machine")


@pytest.mark.usefixtures("_initdb")
def test_the_command_gets_a_cluster_and_its_exit_code_is_kept() -> None:
    result = run(sys.executable, "-c", QUERY)
    address, answer = result.stdout.split()
    assert answer == "42"
    assert result.returncode == 7
    assert not Path(parse_qs(urlsplit(address).query)["host"][0]).exists()


def test_without_a_command_it_says_how_it_is_used() -> None:
    result = run()
    assert result.returncode == 2
    assert "COMMAND" in result.stderr
