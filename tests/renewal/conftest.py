"""A tenants' Redis, keys in it, and renewal services in threads."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from plans import conf
from plans.models import Renewal
from plans.renewal import links, rows
from plans.renewal.service import RenewalService
from tests.support.waiting import WAIT_SECONDS, wait_until

Serve = Callable[..., RenewalService]


@pytest.fixture
def tenants() -> Iterator[Redis]:
    """The Redis of tenants' configuration; answers are bytes."""
    with Redis.from_url(settings.TENANT_REDIS_URL, protocol=2) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts renewal services in threads; `serve(tenants=URL)` reaches tenants' Redis there."""
    started: list[tuple[RenewalService, threading.Thread]] = []

    def start(**urls: str) -> RenewalService:
        there = {name: lambda url=url: links.connect(url) for name, url in urls.items()}
        service = RenewalService({**links.CLIENTS, **there})
        thread = threading.Thread(target=service.run, daemon=True)
        thread.start()
        started.append((service, thread))
        return service

    yield start
    for service, _ in started:
        service.stop()
    for _, thread in started:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    # It does not wait for its own threads, which would go on into the next test.
    wait_until(lambda: not at_work(), message=lambda: f"these have ended: {at_work()}")


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that answers late, on a busy machine, is not taken for one that is away."""
    monkeypatch.setattr(conf, "RENEWAL_TIMEOUT_SECONDS", WAIT_SECONDS)


def at_work() -> list[str]:
    """The threads of all services."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("renewal-")]


def register(name: str, selector: dict[str, Any], **more: Any) -> Renewal:
    """A renewal with a TTL of 100 s and an interval of half a second, if nothing else is said."""
    described = {
        "selector": selector,
        "ttl": {"kind": "fixed", "seconds": 100},
        "interval": {"kind": "fixed", "seconds": 0.5},
    }
    return rows.register(name, described | more)


def listed(*keys: str) -> dict[str, Any]:
    return {"kind": "list", "keys": keys}


def ended(name: str) -> str:
    """Why the renewal came to its end; empty while it has not."""
    return Renewal.objects.get(name=name).stop_reason
