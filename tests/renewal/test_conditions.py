"""Every selector, TTL, interval and stop condition, on real keys, by a service in a thread."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from plans.errors import NotFound, RenewalRefused
from plans.models import Renewal, RenewalProcess
from plans.renewal import functions, rows
from tests.renewal.conftest import Serve, ended, listed, register
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Stop = dict[str, Any]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers a function of keys or of done business under a name, for one test."""
    for registry in (functions.keys, functions.done):
        monkeypatch.setattr(registry, "_functions", dict(registry._functions))

    def add(registry: functions.Functions[Any], name: str, found: Callable[..., Any]) -> None:
        registry.register(name, found)

    return add


def is_kept_alive(tenants: Redis, key: str) -> None:
    """Its end moves away twice more."""
    for _ in range(2):
        end = tenants.pexpiretime(key)
        wait_until(lambda end=end: tenants.pexpiretime(key) > end, message=f"{key} is renewed")  # type: ignore[misc]


@pytest.mark.usefixtures("patience")
def test_listed_keys_live_and_keys_without_ttl_get_none(serve: Serve, tenants: Redis) -> None:
    tenants.set("a", 1, px=50_000)
    tenants.set("lasting", 1)
    register("list", listed("a", "lasting", "never"))
    service = serve()
    is_kept_alive(tenants, "a")
    assert tenants.pttl("lasting") == -1
    assert not tenants.exists("never")
    wait_until(lambda: service.figures.copy().skipped >= 4, message="both are counted")
    assert service.figures.copy().failed == 0


def test_a_pattern_finds_what_comes_later(serve: Serve, tenants: Redis) -> None:
    tenants.set("lock:1", 1, px=50_000)
    tenants.set("other", 1, px=500_000)
    register("pattern", {"kind": "pattern", "pattern": "lock:*", "refresh_seconds": 0.1})
    serve()
    is_kept_alive(tenants, "lock:1")
    tenants.set("lock:2", 1, px=50_000)
    is_kept_alive(tenants, "lock:2")
    tenants.delete("lock:1")
    is_kept_alive(tenants, "lock:2")
    assert not tenants.exists("lock:1")
    assert tenants.pttl("other") > 200_000


def test_a_function_names_the_keys_and_may_break(
    serve: Serve, tenants: Redis, function: Callable[..., None]
) -> None:
    named = ["a"]

    def keys_of(suffix: str) -> list[str]:
        if not named:
            raise RuntimeError("no idea")
        return [name + suffix for name in named]

    function(functions.keys, "test", keys_of)
    for key in ("a!", "b!"):
        tenants.set(key, 1, px=50_000)
    selector = {"kind": "function", "name": "test", "arguments": {"suffix": "!"}}
    register("function", selector | {"refresh_seconds": 0.1})
    serve()
    is_kept_alive(tenants, "a!")
    named.append("b")
    is_kept_alive(tenants, "b!")
    named.clear()
    is_kept_alive(tenants, "a!")
    wait_until(lambda: "no idea" in Renewal.objects.get().last_error, message="the error is shown")


@pytest.mark.parametrize(
    "interval",
    [
        {"kind": "jittered", "seconds": 0.5, "jitter": 0.5},
        {"kind": "backoff", "first_seconds": 0.1, "factor": 1.5, "max_seconds": 0.6},
    ],
    ids=lambda interval: str(interval["kind"]),
)
def test_other_intervals_renew_as_well(
    serve: Serve, tenants: Redis, interval: dict[str, Any]
) -> None:
    tenants.set("a", 1, px=50_000)
    register("other", listed("a"), interval=interval)
    serve()
    is_kept_alive(tenants, "a")


def test_a_ttl_until_a_time_ends_the_key_then(serve: Serve, tenants: Redis) -> None:
    tenants.set("a", 1, px=50_000)
    soon = timezone.now() + timedelta(seconds=1)
    later = timezone.now() + timedelta(hours=1)
    for name, at in (("over", soon), ("until", later)):
        register(name, listed("a"), ttl={"kind": "until", "at": at.isoformat()})
    serve()
    end = round(later.timestamp() * 1000)
    wait_until(lambda: tenants.pexpiretime("a") == end, message="the end is set")
    wait_until(lambda: ended("over") == "deadline", message="the other one stops")
    assert ended("until") == ""


def a_second_passes() -> None:
    before = RenewalProcess.objects.get().seen_at
    wait_until(
        lambda: RenewalProcess.objects.get().seen_at > before + timedelta(seconds=1),
        message="a second passes",
    )


def test_each_condition_stops(serve: Serve, tenants: Redis, function: Callable[..., None]) -> None:
    is_done: list[str] = []
    function(functions.done, "test", lambda: bool(is_done))
    soon = (timezone.now() + timedelta(seconds=1.5)).isoformat()
    stops: dict[str, Stop] = {
        "done": {"done": {"name": "test"}},
        "deadline": {"deadline": soon},
        "count": {"count": 2},
        "gone": {"gone": True},
        "signal": {},
    }
    for reason, stop in stops.items():
        tenants.set(reason, 1, px=50_000)
        register(reason, listed(reason), stop=stop)
    service = serve()
    wait_until(lambda: tenants.pttl("signal") > 50_000, message="they are renewed")
    is_done.append("yes")
    tenants.delete("gone")
    rows.signal("signal", "olga")
    for reason in stops:
        wait_until(lambda reason=reason: ended(reason) == reason, message=f"{reason} stops")  # type: ignore[misc]
    assert Renewal.objects.get(name="signal").stopped_by == "olga"
    assert not tenants.exists("gone")
    wait_until(lambda: not service.caring.holdings, message="they are let go")
    a_second_passes()  # What is being sent may still arrive.
    ends = [tenants.pexpiretime(reason) for reason in stops]
    a_second_passes()
    assert [tenants.pexpiretime(reason) for reason in stops] == ends
    # It stood in at most two rounds.
    assert Renewal.objects.get(name="count").renewed <= 2


def test_of_several_keys_the_gone_one_is_let_go(serve: Serve, tenants: Redis) -> None:
    for key in ("a", "b"):
        tenants.set(key, 1, px=50_000)
    register("gone", listed("a", "b"), stop={"gone": True})
    service = serve()
    is_kept_alive(tenants, "a")
    tenants.delete("a")
    wait_until(lambda: [h.key_count() for h in service.caring.holdings.values()] == [1])
    tenants.set("a", 1, px=100)
    is_kept_alive(tenants, "b")
    wait_until(lambda: not tenants.exists("a"), message="nobody renews it any more")
    assert ended("gone") == ""


def test_a_key_that_comes_back_is_renewed_again(serve: Serve, tenants: Redis) -> None:
    tenants.set("a", 1, px=50_000)
    register("list", listed("a"))
    serve()
    is_kept_alive(tenants, "a")
    tenants.delete("a")
    tenants.set("a", 2, px=50_000)
    is_kept_alive(tenants, "a")


def test_a_name_is_active_once_and_free_again_after_its_end() -> None:
    register("once", listed("a"))
    with pytest.raises(RenewalRefused, match="already"):
        register("once", listed("a"))
    with pytest.raises(RenewalRefused, match="there is no"):
        register("other", listed("a"), redis="moon")
    rows.signal("once")
    with pytest.raises(NotFound):
        rows.signal("once")
    register("once", listed("a"))
