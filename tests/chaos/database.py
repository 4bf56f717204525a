"""The database under an installation, and the ways in which it can fail."""

import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import private_postgres
from tests.chaos.proxy import Proxy
from tests.support.environment import HOST

SQLITE_DISK = "256m"


class Sqlite:
    """A file; where we may mount one, on a small disk of its own that can be filled up.

    `is_roomy`: it is to hold a lot, so it is on the machine's disk.
    """

    name = "sqlite"

    def __init__(self, folder: Path, *, is_roomy: bool = False) -> None:
        self._folder = folder / "disk"
        self._folder.mkdir()
        self.has_own_disk = not is_roomy and _mounted(self._folder)
        self.path = self._folder / "db.sqlite3"
        self.url = self.url_of_processes = f"sqlite:///{self.path}"

    @property
    def _ballast(self) -> Path:
        return self._folder / "ballast"

    def fill_disk(self) -> None:
        """Leave no byte."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free_disk(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def lock(self, seconds: float, wait: Callable[[float], object]) -> None:
        """Hold the one writer's lock, as a stranger's long transaction would."""
        other = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            wait(seconds)
            other.execute("ROLLBACK")
        finally:
            other.close()

    def close(self) -> None:
        if self.has_own_disk:
            subprocess.run(["umount", "-l", self._folder], capture_output=True, check=False)


def _mounted(folder: Path) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SQLITE_DISK}", "bluegreen", folder]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


DURABLE = {**private_postgres.FAST, "synchronous_commit": "on"}
"""What was committed outlives the server's crash, which is made here; not the machine's."""


class Postgres:
    """A private cluster; processes reach it by a way that can be cut."""

    name = "postgresql"

    def __init__(self) -> None:
        programs = private_postgres.find_programs()
        if programs is None:
            raise LookupError("there is no PostgreSQL on this machine")
        self._cluster = private_postgres.Cluster(programs, DURABLE)
        # The server dies with the thread that starts it; this one lives as long as we do.
        self._starter = ThreadPoolExecutor(1, "postgresql")
        try:
            self._cluster.create()
            self._starter.submit(self._cluster.start).result()
            self.way = Proxy(self._cluster.socket_path)
        except BaseException:
            self.close()
            raise
        self.url = self._cluster.url
        user = private_postgres.SUPERUSER
        self.url_of_processes = f"postgres://{user}@{HOST}:{self.way.port}/postgres"

    def restart(self) -> None:
        """In immediate mode: nothing is written down, the start recovers."""
        self._cluster.crash()
        time.sleep(1)
        self._starter.submit(self._cluster.start).result()

    def close(self) -> None:
        if hasattr(self, "way"):
            self.way.close()
        self._cluster.stop()
        self._starter.shutdown()
        self._cluster.remove()


@dataclass(frozen=True)
class Given:
    """A database that others have made, and that nothing is done to."""

    url: str
    name = "given"

    @property
    def url_of_processes(self) -> str:
        return self.url

    def close(self) -> None:
        """It is not ours."""


Database = Sqlite | Postgres | Given
