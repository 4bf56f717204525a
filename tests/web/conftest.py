"""Browsers without a browser: a client for each role, and plans without outside calls."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from plans import conf, operations
from plans.engine import readiness
from plans.models import Plan, Task, TaskState, Tenant
from plans.validation import PlanRequest, TenantRequest, WaveRequest
from tests.support.driving import OPERATOR

ENDPOINT = "http://127.0.0.1:9"

MakePlan = Callable[..., Plan]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks here waits as long as a slow machine needs; what was seen stays seen."""
    for name in ("LOOK_TIMEOUT_SECONDS", "READY_TIMEOUT_SECONDS", "CONDUCTOR_LEASE_SECONDS"):
        monkeypatch.setattr(conf, name, 60.0)
    monkeypatch.setattr(conf, "CONDUCTOR_SEEN_SECONDS", 600.0)
    # It keeps clients with the time-out that they were made with.
    monkeypatch.setattr(readiness, "_client", cache(readiness._client.__wrapped__))


def client_of(name: str, *groups: str) -> Client:
    user = User.objects.create_user(name)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def operator(db: None) -> Client:
    return client_of("olga", "operator")


@pytest.fixture
def viewer(db: None) -> Client:
    return client_of("vera", "viewer")


@pytest.fixture
def stranger(db: None) -> Client:
    """Signed in, without any role."""
    return client_of("sam")


@pytest.fixture
def anonymous(db: None) -> Client:
    return Client(raise_request_exception=False)


def add_tenants(count: int, **fields: Any) -> list[str]:
    """Tenants `tenant-0001`… of the registry, as if they had been read."""
    fields = {"environment": "blue", "endpoints": [ENDPOINT], "synced_at": timezone.now()} | fields
    names = [f"tenant-{number:04}" for number in range(1, count + 1)]
    Tenant.objects.bulk_create(
        [Tenant(tenant_id=name, **{"name": f"Customer {name[-4:]}"} | fields) for name in names],
        ignore_conflicts=True,
    )
    return names


@pytest.fixture
def make_plan(db: None) -> MakePlan:
    """Creates a plan of `count` tenants through the facade; nothing outside is asked."""

    def make(count: int = 3, **options: Any) -> Plan:
        request = PlanRequest(
            name=options.pop("name", "Autumn"),
            tenants=tuple(map(TenantRequest, add_tenants(count))),
            executor_type="BLUE_GREEN_SWITCH",
            waves=tuple(WaveRequest(**wave) for wave in options.pop("waves", ())),
            **options,
        )
        return operations.create_plan(request, OPERATOR)

    return make


def stand(tasks: Iterable[Task], state: TaskState, **fields: Any) -> None:
    """Put tasks into a state as if they had been run; no worker is at hand here."""
    keys = [task.pk for task in tasks]
    Task.objects.filter(pk__in=keys).update(**{"state": state, **fields})


FAILURE = {
    "kind": "NETWORK",
    "errorCode": "GATEWAY_TIMEOUT",
    "reason": "no answer",
    "message": {"template": "no answer", "values": {}},
    "stage": "switch_route",
    "retryable": True,
    "timestamp": "2026-01-01T00:00:00+00:00",
}
PREVIOUS = {"environment": "blue", "route": "blue", "version": 19, "payload": {}, "endpoints": []}
FAILED_FIELDS: dict[str, Any] = {
    "failure": FAILURE,
    "previous": PREVIOUS,
    "cursor": 3,
    "reached": 4,
    "step": "switch_route",
    "checkpoint": {"step": "NOTIFIED", "data": {"completedSteps": [], "failedStep": None}},
}
