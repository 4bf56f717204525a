"""The way to a server is slow, blocked, broken, and open again."""

import time
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bluegreen.embedded_redis import EmbeddedRedis
from tests.chaos.proxy import Proxy
from tests.conftest import WORLD
from tests.support.environment import HOST

SOON_SECONDS = 0.3
PATIENCE_SECONDS = 60.0


@pytest.fixture
def way(redis_server: str) -> Iterator[Proxy]:
    server: EmbeddedRedis = WORLD.redis
    opened = Proxy(server.socket_path)
    try:
        yield opened
    finally:
        opened.close()


def connect(way: Proxy, seconds: float) -> redis.Redis:
    """A client that waits so long for an answer."""
    return redis.Redis(HOST, way.port, socket_timeout=seconds, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def client(way: Proxy) -> Iterator[redis.Redis]:
    with connect(way, PATIENCE_SECONDS) as opened:
        yield opened


def test_what_is_open_passes_both_ways(client: redis.Redis) -> None:
    client.set("name", b"x" * 200_000)
    assert client.get("name") == b"x" * 200_000


def test_what_is_cut_breaks_at_once_and_is_mended(way: Proxy, client: redis.Redis) -> None:
    assert client.ping()
    way.cut()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    way.mend()
    assert client.ping()


def test_what_is_blocked_says_nothing_until_it_is_mended(way: Proxy, client: redis.Redis) -> None:
    assert client.ping()
    way.block()
    with connect(way, SOON_SECONDS) as impatient, pytest.raises(redis.TimeoutError):
        impatient.ping()
    way.mend()
    assert client.ping()


def test_what_is_slow_answers_late(way: Proxy, client: redis.Redis) -> None:
    assert client.ping()
    way.slow_down(0.1)
    began = time.monotonic()
    assert client.ping()
    assert time.monotonic() - began >= 0.1
