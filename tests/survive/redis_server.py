"""The run's own Redis, to be killed and started again in the middle of a test."""

import os
import signal
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis

from bluegreen.embedded_redis import EmbeddedRedis
from tests.support.waiting import wait_until


class RedisServer:
    """The server at `url`, a private one on a unix socket."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = EmbeddedRedis(Path(unquote(urlsplit(url).path)).parent)

    def flush(self) -> None:
        with redis.Redis.from_url(self._url) as client:
            client.flushall()

    def kill(self) -> None:
        """SIGKILL; returns when nobody answers any more."""
        with redis.Redis.from_url(self._url) as client:
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self._server.is_running(), message="Redis is down")

    def start(self) -> None:
        self._server.ensure_running()

    def close(self) -> None:
        """Leave it to the run to start its own again."""
        self._server.stop()
