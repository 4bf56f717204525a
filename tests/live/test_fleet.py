"""Open overviews hear of the registry, and only of what it says new."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from plans import conf, registry_sync
from plans.live import fleet_source
from plans.models import Tenant
from plans.rendering.cursors import fleet_cursor
from plans.stores import doorbell
from tests.live.sockets import Socket, Sockets
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds look often, as nobody rings for the registry."""
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.1)


def told(socket: Socket, is_enough: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The messages up to the first that is enough."""
    messages = [socket.receive()]
    while not is_enough(messages[-1]):
        messages.append(socket.receive())
    return messages


def test_only_the_tenants_that_changed_are_sent(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    registry_sync.sync_tenants()
    Tenant.objects.update(synced_at=timezone.now() - timedelta(hours=1))
    socket = sockets.watch(f"/ws/overview/?cursor={fleet_cursor()}", viewer)
    socket.receive()
    cursor = fleet_cursor()
    registry_sync.sync_tenants()
    assert fleet_cursor() == cursor, "what is as it was is no news"

    sandbox.change_tenant("tenant-007", status="GREEN")
    registry_sync.sync_tenants()
    messages = told(socket, lambda message: bool(message.get("cells")))
    assert [cell[:2] for message in messages for cell in message.get("cells", ())] == [
        ["t-tenant-007", "cell g"]
    ]
    assert not any(message.get("whole") for message in messages)
    assert not any("wall" in message.get("refresh", ()) for message in messages)
    doorbell.flush(5)


def test_who_is_gone_leaves_the_wall_and_is_back_when_named_again(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    registry_sync.sync_tenants()
    Tenant.objects.update(synced_at=timezone.now() - timedelta(hours=1))
    socket = sockets.watch(f"/ws/overview/?cursor={fleet_cursor()}", viewer)
    socket.receive()
    sandbox.reset(tenants=59)
    registry_sync.sync_tenants()
    messages = told(socket, lambda message: bool(message.get("cells")))
    assert messages[-1]["cells"] == [["t-tenant-060", "", "", ""]]
    assert any('<b class="num">59</b>' in message.get("regions", "") for message in messages)

    sandbox.reset()
    registry_sync.sync_tenants()
    messages = told(socket, lambda message: bool(message.get("cells")))
    assert [cell[:2] for cell in messages[-1]["cells"]] == [["t-tenant-060", "cell b"]]
    doorbell.flush(5)


def test_a_tenant_that_was_committed_late_is_sent_all_the_same(
    sandbox: Sandbox, sockets: Sockets, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 0.2)
    monkeypatch.setattr(fleet_source, "READ_LATELY_SECONDS", 600.0)
    registry_sync.sync_tenants()
    cursor = fleet_cursor()
    socket = sockets.watch(f"/ws/overview/?cursor={cursor}", viewer)
    socket.receive()
    # Read before what is newest, and there only now.
    tenant = Tenant.objects.get(pk="tenant-009")
    Tenant.objects.filter(pk="tenant-009").update(environment="green", synced_at=tenant.synced_at)
    assert fleet_cursor() == cursor
    told(
        socket,
        lambda message: ["t-tenant-009", "cell g"] in [c[:2] for c in message.get("cells", ())],
    )
