"""Functions of other packages that raise, hang or leave; a Redis that hangs meanwhile."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from plans import conf
from plans.models import Renewal
from plans.renewal import functions
from plans.renewal.service import HELPERS, RenewalService
from tests.renewal.conftest import Serve, ended, listed, register
from tests.renewal.redis_proxy import RedisProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in (functions.keys, functions.done):
        monkeypatch.setattr(registry, "_functions", dict(registry._functions))


@pytest.fixture
def hang() -> Iterator[Callable[..., Any]]:
    """A function that returns when the test is over."""
    over = threading.Event()
    yield lambda: (over.wait(), [])[1]
    over.set()


def is_renewed(client: Redis, key: str) -> None:
    end = client.pexpiretime(key)
    wait_until(lambda: client.pexpiretime(key) > end, message=f"{key} is renewed")


@pytest.mark.parametrize("is_leaving", [False, True])
def test_listed_keys_live_though_nobody_can_say_whether_their_business_is_done(
    serve: Serve, tenants: Redis, monkeypatch: pytest.MonkeyPatch, is_leaving: bool
) -> None:
    monkeypatch.setattr(conf, "RENEWAL_DONE_SECONDS", 0.1)
    answers: list[bool] = []

    def is_done() -> bool:
        if not answers:
            sys.exit("no idea") if is_leaving else answers[0]
        return answers[0]

    functions.done.register("stubborn", is_done)
    for number in range(2 * HELPERS):
        tenants.set(f"key-{number}", 1, px=50_000)
        register(f"n{number}", listed(f"key-{number}"), stop={"done": {"name": "stubborn"}})
    serve()
    for number in range(2 * HELPERS):
        is_renewed(tenants, f"key-{number}")
    answers.append(True)
    for number in range(2 * HELPERS):
        wait_until(lambda name=f"n{number}": ended(name) == "done", message="it is asked again")  # type: ignore[misc]


@pytest.mark.parametrize("registry", [functions.keys, functions.done])
def test_functions_that_hang_keep_no_other_renewal_from_its_keys(
    serve: Serve,
    tenants: Redis,
    hang: Callable[..., Any],
    registry: functions.Functions[Any],
) -> None:
    registry.register("hanging", hang)
    for number in range(2 * HELPERS):
        if registry is functions.keys:
            register(f"n{number}", {"kind": "function", "name": "hanging"})
        else:
            register(f"n{number}", listed("a"), stop={"done": {"name": "hanging"}})
    tenants.set("b", 1, px=50_000)
    serve()
    register("other", listed("b"))
    is_renewed(tenants, "b")


def test_a_redis_that_hangs_keeps_no_new_renewal_of_another_from_its_keys(
    serve: Serve, tenants: Redis
) -> None:
    pattern = {"kind": "pattern", "pattern": "lock:*", "refresh_seconds": 0.1}
    with (
        RedisProxy(settings.TENANT_REDIS_URL) as proxy,
        Redis.from_url(settings.REDIS_URL, protocol=2) as other,
    ):
        tenants.set("lock:1", 1, px=60_000)
        for number in range(100):
            register(f"n{number}", pattern)
        service = serve(tenants=proxy.url)
        wait_until(lambda: service.figures.copy().skipped > 100, message="they are at work")
        proxy.hang()
        other.set("other", 1, px=50_000)
        register("other", listed("other"), redis="bluegreen")
        is_renewed(other, "other")


def test_a_renewal_that_one_process_cannot_read_is_left_to_another(
    serve: Serve, tenants: Redis
) -> None:
    tenants.set("key", 1, px=50_000)
    row = register("n", listed("key"))
    blind = RenewalService(clients={})
    running = threading.Thread(target=blind.run, daemon=True)
    running.start()
    try:
        wait_until(lambda: Renewal.objects.get(pk=row.pk).last_error)
        wait_until(lambda: Renewal.objects.get(pk=row.pk).owner_id is None)
        service = serve()
        is_renewed(tenants, "key")
        assert Renewal.objects.get(pk=row.pk).owner_id == service.session.process_id
    finally:
        blind.stop()
        running.join()


def test_a_renewal_that_could_not_be_read_is_tried_again_after_a_while(
    serve: Serve, tenants: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "RENEWAL_UNREADABLE_SECONDS", 3 * conf.RENEWAL_BEAT_SECONDS)
    tenants.set("key", 1, px=50_000)
    functions.keys.register("missing", lambda: ["key"])
    row = register("n", {"kind": "function", "name": "missing"})
    function = functions.keys._functions.pop("missing")
    serve()
    wait_until(lambda: Renewal.objects.get(pk=row.pk).last_error)
    functions.keys.register("missing", function)
    is_renewed(tenants, "key")
