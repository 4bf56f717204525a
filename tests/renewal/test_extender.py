"""Ends of real keys move further away, never nearer, and no key gets one that had none."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis, ResponseError

from plans.renewal.extender import Extender, KeyOutcome, Move
from tests.renewal.redis_proxy import RedisProxy


def nothing() -> None: ...


def now_ms(client: Redis) -> int:
    seconds, micros = client.time()
    return seconds * 1000 + micros // 1000


@pytest.fixture(params=["GT", "script"])
def extender(request: pytest.FixtureRequest) -> Iterator[Extender]:
    """With a server that knows `GT`, and with one that does not."""
    if request.param == "GT":
        yield Extender(Redis.from_url(settings.TENANT_REDIS_URL, protocol=2))
        return
    url = settings.TENANT_REDIS_URL
    with RedisProxy(url, lambda piece: piece.replace(b"\r\nGT\r\n", b"\r\n??\r\n")) as proxy:
        yield Extender(Redis.from_url(proxy.url, protocol=2))


def test_only_what_ends_sooner_is_renewed(extender: Extender, tenants: Redis) -> None:
    tenants.set("short", 1, px=50_000)
    tenants.set("long", 1, px=500_000)
    tenants.set("lasting", 1)
    end = now_ms(tenants) + 60_000
    keys = [b"short", b"long", b"lasting", b"gone"]
    for expected in (KeyOutcome.RENEWED, KeyOutcome.KEPT):  # The second time it lives that long.
        (found,) = extender.extend([Move(keys, end)], nothing)
        assert found == [expected, KeyOutcome.KEPT, KeyOutcome.LASTING, KeyOutcome.GONE]
    assert tenants.pexpiretime("short") == end
    assert tenants.pttl("long") > 400_000
    assert tenants.pttl("lasting") == -1
    assert not tenants.exists("gone")


def test_an_end_in_the_past_kills_nothing(extender: Extender, tenants: Redis) -> None:
    tenants.set("key", 1, px=50_000)
    (found,) = extender.extend([Move([b"key"], now_ms(tenants) - 1000)], nothing)
    assert found == [KeyOutcome.KEPT]
    assert tenants.exists("key")


def test_looking_changes_nothing(tenants: Redis) -> None:
    extender = Extender(tenants)
    tenants.set("short", 1, px=50_000)
    tenants.set("lasting", 1)
    end = now_ms(tenants) + 60_000
    tenants.set("done", 1, pxat=end)
    keys = [b"short", b"done", b"lasting", b"gone"]
    (found,) = extender.lacking([Move(keys, end)], nothing)
    assert found == [KeyOutcome.RENEWED, KeyOutcome.KEPT, KeyOutcome.LASTING, KeyOutcome.GONE]
    assert tenants.pttl("short") <= 50_000


def test_the_error_of_one_key_is_its_own(tenants: Redis) -> None:
    url = settings.TENANT_REDIS_URL
    tenants.acl_setuser("half", True, passwords=["+pw"], keys=["mine*"], categories=["+@all"])
    try:
        client = Redis.from_url(url, username="half", password="pw", protocol=2)
        for key in ("mine-1", "theirs", "mine-2"):
            tenants.set(key, 1, px=50_000)
        moves = [Move([b"mine-1", b"theirs"], now_ms(tenants) + 60_000)]
        moves.append(Move([b"mine-2"], now_ms(tenants) + 70_000))
        (first, error), last = Extender(client).extend(moves, nothing)
        assert (first, last) == (KeyOutcome.RENEWED, [KeyOutcome.RENEWED])
        assert isinstance(error, ResponseError)
        assert tenants.pttl("mine-2") > 50_000
        assert tenants.pttl("theirs") <= 50_000
    finally:
        tenants.acl_deluser("half")


def test_nothing_is_sent_once_the_right_is_lost(tenants: Redis) -> None:
    tenants.set("key", 1, px=50_000)

    def lost() -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        Extender(tenants).extend([Move([b"key"], now_ms(tenants) + 60_000)], lost)
    assert tenants.pttl("key") <= 50_000
