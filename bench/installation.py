"""A private installation to measure: Redis, stub, workers and conductor on a given database."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.measuring import Usage, usage
from bluegreen import die_with_parent
from bluegreen.embedded_redis import EmbeddedRedis

ROOT = Path(__file__).resolve().parents[1]


class Installation:
    """Real processes in a folder of their own; all end with it.

    `database_url` "" is SQLite in that folder.
    """

    def __init__(self, database_url: str = "", latency_seconds: float = 0.0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bluegreen-bench-"))
        self.redis = EmbeddedRedis(self.folder / "redis")
        self.port = free_port()
        self._latency_seconds = latency_seconds
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        base = f"http://127.0.0.1:{self.port}"
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bluegreen.settings",
            "DATABASE_URL": database_url or f"sqlite:///{self.folder / 'bench.sqlite3'}",
            "REDIS_URL": self.redis.url,
            "VAR_DIR": str(self.folder),
            "OB_SERVICE_URL": f"{base}/ob",
            "GATEWAY_URL": f"{base}/gateway",
            "ALLOWED_ENDPOINT_NETWORKS": "127.0.0.0/8",
            "LOG_LEVEL": "WARNING",
        }

    def __enter__(self) -> Self:
        self.redis.ensure_running()
        self.start("stub", "-m", "bench.stub", str(self.port), str(self._latency_seconds))
        wait_for_port(self.port)
        self.run("manage.py", "migrate", "-v0")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def offer(self, entry_points: str) -> None:
        """Have the processes that start from now on find `entry_points` as a package's."""
        package = self.folder / "packages" / "bench-0.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: bench\nVersion: 0\n")
        (package / "entry_points.txt").write_text(entry_points)
        self.env["PYTHONPATH"] = str(package.parent)

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a Python process of the installation."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                die_with_parent.wrap([sys.executable, *words]),
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes[name] = process
        return process

    def start_engine(self, workers: int, threads: int) -> None:
        """Workers and a conductor, and wait until all workers are there."""
        for number in range(workers):
            self.start_worker(number, threads)
        self.start("conductor", "manage.py", "conductor")
        self.drive("workers", str(workers))

    def start_worker(self, number: int, threads: int) -> None:
        """The process `worker-NUMBER`."""
        self.start(f"worker-{number}", "manage.py", "worker", "--threads", str(threads))

    def pid(self, name: str) -> int:
        """The process id of the process `name`."""
        return self._processes[name].pid

    def start_web(self) -> int:
        """A web server; its port."""
        port = free_port()
        daphne = "from daphne.cli import CommandLineInterface as C; C.entrypoint()"
        self.start(
            "web", "-c", daphne, "-b", "127.0.0.1", "-p", str(port), "bluegreen.asgi:application"
        )
        return port

    def run(self, *words: str) -> str:
        """Run a Python command of the installation to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.env, capture_output=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)} failed:\n{done.stderr.decode()}")
        return done.stdout.decode()

    def drive(self, *words: str) -> Any:
        """Run `python -m bench.drive …`; the JSON of its last line."""
        return json.loads(self.run("-m", "bench.drive", *words).strip().splitlines()[-1])

    def usage(self, prefixes: Sequence[str] = ("worker", "conductor", "web")) -> Usage:
        """What our own processes (not stub, Redis, database) have used."""
        return usage(
            process.pid
            for name, process in self._processes.items()
            if name.startswith(tuple(prefixes))
        )


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 60.0) -> None:
    """Wait until somebody listens on `port`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
