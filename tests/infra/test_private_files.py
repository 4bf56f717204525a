"""What is made on disk is for its owner, whatever the shell that starts it says."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

NAMED = ("DATABASE_URL", "SECRET_KEY", "REDIS_URL", "TENANT_REDIS_URL")


def test_database_and_key_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    rest = {name: value for name, value in os.environ.items() if name not in NAMED}
    subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "plans"],
        cwd=ROOT,
        env={**rest, "VAR_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        umask=0o022,
        check=True,
    )
    made = {path.name: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    assert {"var", "bluegreen.sqlite3", "secret_key"} <= set(made)
    assert {name for name, mode in made.items() if mode & 0o077} == set()
