"""The environment that settings read, made before Django loads them: one world a pytest process.

Each process (also each of pytest-xdist's) gets a folder, a Redis and a port for the sandbox of its
own, so that parallel runs never meet.
"""

import os
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bluegreen import embedded_redis
from bluegreen.embedded_redis import EmbeddedRedis

HOST = "127.0.0.1"
REDIS_START_SECONDS = 120.0
# What a developer's shell may hold, and no test may see.
FOREIGN = (
    "ALLOWED_HOSTS",
    "DEBUG",
    "INSTANCE_URL_TEMPLATE",
    "NOTIFY_SERVICES",
    "PORT",
    "WORKER_THREADS",
)


@dataclass
class World:
    """What one pytest process owns."""

    folder: Path
    redis: EmbeddedRedis
    sandbox_port: int = 0
    reserved: list[socket.socket] = field(default_factory=list)

    def reserve_port(self) -> int:
        """A free port that stays ours: held bound, so that nobody else is given it.

        A server that sets SO_REUSEADDR, as asyncio's and Twisted's do, can still listen on it.
        """
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        self.reserved.append(holder)
        return int(holder.getsockname()[1])

    def close(self) -> None:
        """Give everything back."""
        self.redis.stop()
        for holder in self.reserved:
            holder.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def prepare() -> World:
    """Make this process's world and name it in `os.environ`."""
    embedded_redis.START_TIMEOUT_SECONDS = REDIS_START_SECONDS
    folder = Path(tempfile.mkdtemp(prefix="bluegreen-test-"))
    world = World(folder, EmbeddedRedis(folder / "redis"))
    world.sandbox_port = world.reserve_port()
    sandbox = f"http://{HOST}:{world.sandbox_port}"
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="bluegreen.settings",
        VAR_DIR=str(folder / "var"),
        DATABASE_URL=_database_url(folder),
        REDIS_URL=f"{world.redis.url}?db=0",
        TENANT_REDIS_URL=f"{world.redis.url}?db=1",
        OB_SERVICE_URL=f"{sandbox}/ob",
        GATEWAY_URL=f"{sandbox}/gateway",
        ALLOWED_ENDPOINT_NETWORKS="127.0.0.0/8",
        SECRET_KEY="only-for-tests-only-for-tests-only-for-tests-only",
        # Long: a busy machine loses no lease and gives up no call. Tests about that say less.
        LEASE_SECONDS="60",
        HTTP_TIMEOUT_SECONDS="30",
        RENEWAL_LEASE_SECONDS="30",
        HEARTBEAT_SECONDS="0.5",
        HEALTH_INTERVAL_SECONDS="0.05",
    )
    return world


def _database_url(folder: Path) -> str:
    """The caller's PostgreSQL when one is named, else a file that threads and processes share."""
    named = os.environ.get("DATABASE_URL", "")
    if named.startswith(("postgres://", "postgresql://")):
        return named
    return f"sqlite:///{folder / 'db.sqlite3'}"
