"""Real processes of everything, each of which can be killed, frozen and started again."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bluegreen.embedded_redis import EmbeddedRedis
from tests.chaos.database import Database
from tests.chaos.proxy import Proxy
from tests.support.environment import FOREIGN, HOST
from tests.support.processes import Processes, RunningProcess
from tests.support.sandbox import Sandbox
from tests.survive.nursery import Nursery

LEASE_SECONDS = 3.0
HTTP_TIMEOUT_SECONDS = 2.0
SECRET_KEY = "only-for-tests-only-for-tests-only-for-tests-only"


@dataclass(frozen=True)
class Scale:
    """How large the installation and its world are."""

    tenants: int = 40
    instances: int = 2
    workers: int = 2
    threads: int = 8
    conductors: int = 2
    webs: int = 2
    is_direct: bool = False
    """Nothing is to be cut off: no proxies, whose own pace would count."""


@dataclass
class Member:
    """One place for a process: whoever fills it dies, and another takes it."""

    name: str
    kind: str
    start: Callable[[], RunningProcess]
    process: RunningProcess


class Installation:
    """Web, workers, conductors and renewals around `database` and `redis` (None: one of our own).

    They reach Redis (and PostgreSQL) by proxies; the sandbox and its instances reach Redis
    directly. `urls` are the web servers'.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        scale: Scale,
        reserve_port: Callable[[], int],
        redis: EmbeddedRedis | None = None,
    ) -> None:
        self.folder, self.database, self.scale = folder, database, scale
        self.redis = redis or EmbeddedRedis(folder / "redis")
        self.redis.ensure_running()
        self.way_to_redis = Proxy(self.redis.socket_path)
        self._reserve_port = reserve_port
        self.sandbox = Sandbox(
            tenants=scale.tenants,
            instances=scale.instances,
            redis_url=f"{self.redis.url}?db=1",
            config_poll_seconds=1.0,
        )
        self.environment = self._environment()
        self.members: list[Member] = []
        self.urls: list[str] = []
        self._count = 0
        self._lock = threading.Lock()
        # A child dies with the thread that started it; this one lives as long as we do.
        self._starter = ThreadPoolExecutor(1, "starter")

    def start(self) -> None:
        """Everything; returns when the web servers answer."""
        self._nursery = Nursery(self.environment)
        self._processes = Processes(self.folder / "log", self.environment, self._reserve_port)
        for number in range(1, self.scale.webs + 1):
            port = self._reserve_port()
            self.urls.append(f"http://{HOST}:{port}")
            self._add(f"web-{number}", partial(self._processes.web, port))
        for number in range(1, self.scale.workers + 1):
            self._add(f"worker-{number}", self._worker)
        for number in range(1, self.scale.conductors + 1):
            self._add(f"conductor-{number}", lambda: self._fork("conductor"))
        self._add("renewals-1", lambda: self._fork("renewals"))

    def of_kind(self, kind: str) -> list[Member]:
        return [member for member in self.members if member.kind == kind]

    def start_again(
        self, member: Member, start: Callable[[], RunningProcess] | None = None
    ) -> None:
        """Fill the place anew; whoever had it must be gone."""
        member.process = self._starter.submit(start or member.start).result()

    def worker_with_wrong_clock(self, seconds: float) -> RunningProcess:
        """`manage.py worker` on a machine whose wall clock is off."""
        words = (str(seconds), "worker", "--threads", str(self.scale.threads))
        return self._processes.module("tests.chaos.clock", *words)

    def mend(self) -> None:
        """Everybody is there, nobody frozen, every way open, and the outside as it should be."""
        self.sandbox.clear_faults()
        self.redis.ensure_running()
        self.way_to_redis.mend()
        for member in self.members:
            member.process.thaw()
            if not member.process.is_running:
                self.start_again(member)

    def stop(self) -> None:
        """End every process. Never raises."""
        for member in self.members:
            member.process.thaw()
            member.process.terminate()
        for member in self.members:
            member.process.stop()
        if hasattr(self, "_nursery"):
            self._processes.stop()
            self._nursery.close()
        self.sandbox.stop()
        self.way_to_redis.close()
        self.redis.stop()
        self._starter.shutdown()

    def freeze_sandbox(self) -> None:
        os.kill(self.sandbox.pid, signal.SIGSTOP)

    def thaw_sandbox(self) -> None:
        os.kill(self.sandbox.pid, signal.SIGCONT)

    def _add(self, name: str, start: Callable[[], RunningProcess]) -> None:
        process = self._starter.submit(start).result()
        self.members.append(Member(name, name.partition("-")[0], start, process))

    def _worker(self) -> RunningProcess:
        return self._fork("worker", "--threads", str(self.scale.threads))

    def _fork(self, *command: str) -> RunningProcess:
        with self._lock:
            self._count += 1
            return self._nursery.fork(f"{command[0]}-{self._count}", self.folder / "log", *command)

    def _environment(self) -> dict[str, str]:
        by_proxy = f"redis://{HOST}:{self.way_to_redis.port}"
        redis = f"{self.redis.url}?db=" if self.scale.is_direct else f"{by_proxy}/"
        database = self.database
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "bluegreen.settings",
            "VAR_DIR": str(self.folder / "var"),
            "DATABASE_URL": database.url if self.scale.is_direct else database.url_of_processes,
            "REDIS_URL": f"{redis}0",
            "TENANT_REDIS_URL": f"{redis}1",
            "OB_SERVICE_URL": self.sandbox.ob_url,
            "GATEWAY_URL": self.sandbox.gateway_url,
            "ALLOWED_ENDPOINT_NETWORKS": "127.0.0.0/8",
            "SECRET_KEY": SECRET_KEY,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "RENEWAL_LEASE_SECONDS": str(LEASE_SECONDS),
            "HEARTBEAT_SECONDS": "0.5",
            "HTTP_TIMEOUT_SECONDS": str(HTTP_TIMEOUT_SECONDS),
            "HEALTH_INTERVAL_SECONDS": "0.5",
            "WORKER_GRACE_SECONDS": "5",
        }
