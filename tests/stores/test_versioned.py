"""Versioned values of any kind: strings and hashes, what is refused, what is announced."""

import threading

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plans.stores import connection, versioned
from plans.stores.versioned import Stamp, WriteOutcome, WriteResult

KEY = "app:limits"


@pytest.fixture
def server() -> redis.Redis:
    return connection.tenant_redis()


def test_a_string_is_written_with_its_version_beside_it(server: redis.Redis) -> None:
    assert versioned.write_string(server, KEY, "é=1", Stamp(7, 2)) == WriteResult(
        WriteOutcome.WRITTEN, 7, 2
    )
    assert server.get(KEY) == "é=1".encode()
    assert server.hgetall(versioned.fence_key(KEY)) == {b"version": b"7", b"epoch": b"2"}


@pytest.mark.parametrize(("version", "epoch"), [(6, 9), (7, 1)])
def test_a_string_is_not_replaced_by_an_older_one(
    server: redis.Redis, version: int, epoch: int
) -> None:
    versioned.write_string(server, KEY, "new", Stamp(7, 2))
    refused = versioned.write_string(server, KEY, "old", Stamp(version, epoch))
    assert refused == WriteResult(WriteOutcome.REFUSED, 7, 2)
    assert not refused.written
    assert server.get(KEY) == b"new"


def test_several_fields_are_set_at_once_and_others_stay(server: redis.Redis) -> None:
    server.hset(KEY, "owner", "somebody")
    versioned.write_hash(server, KEY, {"a": "1", "b": b"\xff"}, Stamp(1))
    assert server.hgetall(KEY) == {
        b"owner": b"somebody",
        b"a": b"1",
        b"b": b"\xff",
        b"version": b"1",
        b"epoch": b"0",
    }


def test_a_string_keeps_its_time_to_live_and_binary_values(server: redis.Redis) -> None:
    versioned.write_string(server, KEY, "1", Stamp(1))
    server.expire(KEY, 1000)
    versioned.write_string(server, KEY, b"\x00\xff", Stamp(2))
    assert 0 < server.ttl(KEY) <= 1000
    assert server.get(KEY) == b"\x00\xff"


def test_what_is_held_already_is_left_and_announced_again(server: redis.Redis) -> None:
    with server.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe("news")
        assert heard.get_message(timeout=20) is None
        first = Stamp(3, 1, "news", "three")
        again = Stamp(3, 4, "news", "three again", unless_held=True)
        versioned.write_string(server, KEY, "value", first)
        assert versioned.write_string(server, KEY, "other", again).outcome is WriteOutcome.HELD
        messages = [heard.get_message(timeout=20)["data"] for _ in range(2)]
    assert messages == [b"three", b"three again"]
    assert server.get(KEY) == b"value"
    # From now on the older writer of the same version is refused.
    assert not versioned.write_string(server, KEY, "old worker", Stamp(3, 1)).written


@pytest.mark.parametrize("kind", ["string", "hash"])
def test_what_was_lost_is_written_again(server: redis.Redis, kind: str) -> None:
    def write() -> WriteResult:
        stamp = Stamp(3, 1, unless_held=True)
        if kind == "hash":
            return versioned.write_hash(server, KEY, {"a": "1"}, stamp)
        return versioned.write_string(server, KEY, "1", stamp)

    write()
    server.delete(KEY)
    assert write().outcome is WriteOutcome.WRITTEN
    assert server.exists(KEY)


@pytest.mark.parametrize("fields", [{}, {"version": "9"}, {"epoch": "9"}])
def test_a_hash_without_fields_or_with_the_stamps_own_is_a_mistake(
    server: redis.Redis, fields: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="field"):
        versioned.write_hash(server, KEY, fields, Stamp(1))
    assert not server.exists(KEY)


def test_the_fence_of_a_string_stands_in_the_same_slot_of_a_cluster() -> None:
    assert versioned.fence_key("app:limits") == "{app:limits}:version"
    assert versioned.fence_key("app:{7}:limits") == "app:{7}:limits:version"


def test_of_two_writers_with_different_epochs_the_newer_one_stays(server: redis.Redis) -> None:
    def write(epoch: int) -> None:
        for version in range(1, 30):
            versioned.write_string(server, KEY, f"{version} by {epoch}", Stamp(version, epoch))

    threads = [threading.Thread(target=write, args=(epoch,)) for epoch in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.get(KEY) == b"29 by 2"


LARGE = st.one_of(st.integers(0, 12), st.integers(2**53 - 2, 2**53 + 2), st.integers(0, 10**30))


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(LARGE, LARGE), max_size=8), st.booleans())
def test_whatever_comes_in_any_order_what_is_held_is_the_greatest(
    server: redis.Redis, stamps: list[tuple[int, int]], is_hash: bool
) -> None:
    server.delete(KEY, versioned.fence_key(KEY))
    held: tuple[int, int] = (0, 0)
    for number, (version, epoch) in enumerate(stamps):
        stamp = Stamp(version, epoch)
        if is_hash:
            result = versioned.write_hash(server, KEY, {"value": str(number)}, stamp)
            found = server.hget(KEY, "value")
        else:
            result = versioned.write_string(server, KEY, str(number), stamp)
            found = server.get(KEY)
        expected = (version, epoch) >= held
        assert result.written is expected
        assert (found == str(number).encode()) is expected
        held = max(held, (version, epoch))
        assert (result.held_version, result.held_epoch) == held
