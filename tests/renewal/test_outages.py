"""Redis hangs, is slow, dies, comes back, comes back empty; the wheel goes on."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis

from plans.models import RenewalProcess
from tests.renewal.conftest import Serve, ended, listed, register
from tests.renewal.redis_proxy import RedisProxy
from tests.support.waiting import wait_until
from tests.survive.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)

LONG = {"kind": "fixed", "seconds": 200}


@pytest.fixture
def proxy() -> Iterator[RedisProxy]:
    with RedisProxy(settings.TENANT_REDIS_URL) as started:
        yield started


@pytest.fixture
def redis_at_risk(redis_server: str) -> Iterator[RedisServer]:
    """The run's Redis; the test may kill it."""
    server = RedisServer(redis_server)
    try:
        yield server
    finally:
        server.close()


def fill(client: Redis, count: int) -> list[str]:
    keys = [f"key-{number}" for number in range(count)]
    for key in keys:
        client.set(key, 1, px=100_000)
    return keys


def test_the_wheel_and_other_servers_go_on_while_one_redis_hangs(
    serve: Serve, tenants: Redis, proxy: RedisProxy
) -> None:
    keys = fill(tenants, 50)
    with Redis.from_url(settings.REDIS_URL, protocol=2) as other:
        other.set("other", 1, px=50_000)
        register("hanging", listed(*keys), ttl=LONG)
        register("other", listed("other"), redis="bluegreen")
        service = serve(tenants=proxy.url)
        wait_until(lambda: min(map(tenants.pttl, keys)) > 100_000, message="all are renewed")
        proxy.hang()
        ticks, end = service.timekeeper.ticks, other.pexpiretime("other")
        # A tick is 10 ms; a busy machine makes fewer.
        wait_until(lambda: service.timekeeper.ticks > ticks + 150, message="the wheel turns")
        wait_until(lambda: other.pexpiretime("other") > end + 900, message="others are renewed")
        wait_until(lambda: "tenants" in RenewalProcess.objects.get().away, message="it is shown")
        wait_until(lambda: RenewalProcess.objects.get().due == 50, message="all of it is due")
    before = [tenants.pexpiretime(key) for key in keys]
    wait_until(lambda: service.figures.copy().failed > 0, message="failures are counted")
    proxy.flow()
    wait_until(
        lambda: all(tenants.pexpiretime(key) > end for key, end in zip(keys, before, strict=True)),
        message="everything is renewed first thing",
    )
    wait_until(lambda: RenewalProcess.objects.get().away == {}, message="that is shown, too")
    wait_until(lambda: RenewalProcess.objects.get().late > 0, message="they were late")


@pytest.mark.usefixtures("patience")
def test_slow_answers_make_nobody_late(serve: Serve, tenants: Redis, proxy: RedisProxy) -> None:
    keys = fill(tenants, 400)
    proxy.delay(0.05, 0.2)
    register("slow", listed(*keys), ttl=LONG)
    service = serve(tenants=proxy.url)
    wait_until(lambda: service.figures.copy().renewed >= 2000, message="five rounds are made")

    def a_round_is_in_time() -> bool:
        before = service.figures.copy()
        wait_until(lambda: service.figures.copy().renewed >= before.renewed + len(keys))
        return service.figures.copy().late == before.late

    # A busy machine may hold up any; if delays added up, none would be in time any more.
    wait_until(a_round_is_in_time, message="a whole round is in time")
    assert service.figures.copy().failed == 0


def test_keys_that_redis_lost_are_not_made_and_the_rest_is_renewed_when_it_is_back(
    serve: Serve, tenants: Redis, redis_at_risk: RedisServer
) -> None:
    tenants.set("kept", 1, px=100_000)
    register("kept", listed("kept"), ttl=LONG)
    register("gone", listed("lost"), ttl=LONG, stop={"gone": True})
    tenants.set("lost", 1, px=100_000)
    serve()
    wait_until(lambda: tenants.pttl("lost") > 100_000, message="it is renewed")
    redis_at_risk.kill()
    wait_until(lambda: "tenants" in RenewalProcess.objects.get().away, message="Redis is missed")
    redis_at_risk.start()
    wait_until(lambda: ended("gone") == "gone", message="the lost key is noticed")
    assert not tenants.exists("lost", "kept")
    tenants.set("kept", 2, px=50_000)
    wait_until(lambda: tenants.pttl("kept") > 100_000, message="what is there again is renewed")
    assert ended("kept") == ""
