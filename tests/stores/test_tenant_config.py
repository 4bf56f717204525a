"""The versioned configuration: what is written, what is refused, and what others hear of it."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.test import override_settings

from plans.errors import RedisUnavailable
from plans.stores import connection, tenant_config
from plans.stores.versioned import WriteOutcome, WriteResult

TENANT = "tenant-1"
KEY = "bg:config:tenant-1"


@pytest.fixture
def server() -> redis.Redis:
    return connection.tenant_redis()


@pytest.fixture
def notices(server: redis.Redis) -> Iterator[redis.client.PubSub]:
    with server.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe("bg:config")
        assert subscription.get_message(timeout=20) is None
        yield subscription


def write(version: int, epoch: int = 1, payload: object = None) -> WriteResult:
    return tenant_config.write(TENANT, version, epoch, "blue", payload or {"v": version})


def test_what_was_written_is_read_again(server: redis.Redis) -> None:
    assert tenant_config.read(TENANT) is None

    result = tenant_config.write(TENANT, 20, 3, "blue", {"名": "é", "n": [1, None]})

    assert result == WriteResult(WriteOutcome.WRITTEN, 20, 3)
    stored = tenant_config.read(TENANT)
    assert stored is not None
    assert (stored.version, stored.epoch, stored.color) == (20, 3, "blue")
    assert stored.payload == {"名": "é", "n": [1, None]}
    assert datetime.now(UTC) - datetime.fromisoformat(stored.updated_at) < timedelta(minutes=1)
    fields = server.hgetall(KEY)
    assert set(fields) == {b"version", b"epoch", b"color", b"payload", b"updated_at"}
    assert fields[b"version"] == b"20"


@pytest.mark.parametrize(
    ("held", "version", "epoch", "written"),
    [
        ((20, 3), 21, 3, True),
        ((20, 3), 21, 1, True),
        ((20, 3), 20, 3, True),
        ((20, 3), 20, 4, True),
        ((20, 3), 20, 2, False),
        ((20, 3), 19, 9, False),
        ((9, 1), 10, 1, True),
        ((10, 1), 9, 1, False),
        ((20, 10), 20, 9, False),
        ((2**53, 1), 2**53 + 1, 1, True),
        ((2**53 + 1, 1), 2**53, 1, False),
        ((10**60 + 1, 1), 10**60, 1, False),
        ((10**60, 2**64), 10**60, 2**64 - 1, False),
    ],
)
def test_an_older_version_and_an_older_worker_are_refused(
    server: redis.Redis, held: tuple[int, int], version: int, epoch: int, written: bool
) -> None:
    write(*held, payload={"first": True})
    before = server.hgetall(KEY)

    result = write(version, epoch, payload={"first": False})

    assert result.written is written
    assert (result.held_version, result.held_epoch) == ((version, epoch) if written else held)
    if not written:
        assert server.hgetall(KEY) == before


def test_a_write_is_announced_and_a_refusal_is_not(notices: redis.client.PubSub) -> None:
    write(20)
    write(19)
    write(21)
    heard = [json.loads(notices.get_message(timeout=20)["data"]) for _ in range(2)]
    assert heard == [{"tenantId": TENANT, "version": "20"}, {"tenantId": TENANT, "version": "21"}]
    assert notices.get_message(timeout=0.05) is None


def test_the_time_to_live_of_the_key_stays(server: redis.Redis) -> None:
    write(20)
    assert server.ttl(KEY) == -1
    server.expire(KEY, 1000)
    write(21)
    assert 0 < server.ttl(KEY) <= 1000


@pytest.mark.parametrize("garbage", ["", "v7", "-5", "1.5", " 7", "9" * 101, b"\xff\xfe", "1e9"])
def test_numbers_that_cannot_be_read_count_as_none(server: redis.Redis, garbage: object) -> None:
    server.hset(KEY, mapping={"version": garbage, "epoch": garbage, "payload": b"\xff{"})
    stored = tenant_config.read(TENANT)
    assert stored is not None
    assert (stored.version, stored.epoch, stored.payload) == (0, 0, "\ufffd{")
    assert write(1) == WriteResult(WriteOutcome.WRITTEN, 1, 1)


def test_leading_zeros_do_not_make_a_version_larger(server: redis.Redis) -> None:
    server.hset(KEY, mapping={"version": "0007", "epoch": "01"})
    assert not write(6).written
    assert write(8).written


def test_fields_of_others_stay(server: redis.Redis) -> None:
    server.hset(KEY, "owner", "somebody")
    write(20)
    assert server.hget(KEY, "owner") == b"somebody"


def test_a_key_of_another_type_is_replaced(server: redis.Redis) -> None:
    server.set(KEY, "no hash")
    assert tenant_config.read(TENANT) is None
    assert write(20).written
    assert server.hget(KEY, "version") == b"20"


@pytest.mark.parametrize("version", [-1, 10**100])
def test_a_version_that_cannot_be_compared_is_refused_at_once(version: int) -> None:
    with pytest.raises(ValueError, match="decimal digits"):
        write(version)


def test_of_many_writers_the_highest_version_stays() -> None:
    threads = [threading.Thread(target=write, args=(version,)) for version in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = tenant_config.read(TENANT)
    assert stored is not None
    assert (stored.version, stored.payload) == (40, {"v": 40})


def test_a_server_that_has_forgotten_the_script_learns_it_again(server: redis.Redis) -> None:
    write(1)
    server.script_flush()
    assert write(2).written


def test_a_broken_connection_is_replaced_without_a_failure(server: redis.Redis) -> None:
    write(1)
    server.client_kill_filter(_type="normal", skipme=False)
    assert write(2).written


@override_settings(TENANT_REDIS_URL="redis://:secret@127.0.0.1:1/0")
def test_redis_that_is_away_is_a_retryable_error_without_credentials() -> None:
    for attempt in (lambda: tenant_config.read(TENANT), lambda: write(1)):
        with pytest.raises(RedisUnavailable) as raised:
            attempt()
        assert (raised.value.code, raised.value.retryable) == ("REDIS_UNAVAILABLE", True)
        assert "secret" not in str(raised.value)


def test_the_client_is_shared() -> None:
    assert connection.tenant_redis() is connection.tenant_redis()
