"""All clients and the store of configurations against the sandbox, which plays the world."""

import os
from collections.abc import Iterator

import pytest

from plans import conf, errors
from plans.ack import Question
from plans.clients import gateway, instances, ob_service, services
from plans.clients.http import Call
from plans.stores import tenant_config
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

CALL = Call("1-deliver-forward-1", 3)


@pytest.fixture(scope="module")
def world(redis_server: str) -> Iterator[Sandbox]:
    url = os.environ["TENANT_REDIS_URL"]
    with Sandbox(tenants=5, redis_url=url, config_poll_seconds=0.2) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _configured(world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "OB_SERVICE_URL", world.ob_url)
    monkeypatch.setattr(conf, "GATEWAY_URL", world.gateway_url)


def test_a_tenant_is_switched_by_hand(world: Sandbox) -> None:
    tenant = next(ob_service.tenant_pages())[0]
    version = tenant.config_version + 1

    assert ob_service.get_tenant(tenant.tenant_id, CALL) == tenant
    assert tenant.environment == gateway.get_route(tenant.tenant_id) == "blue"

    assert tenant_config.write(tenant.tenant_id, version, CALL.fence, "green", {"a": 1}).written
    expected = dict.fromkeys(tenant.endpoints, str(version))
    wait_until(lambda: instances.ask_all(tenant.endpoints, Question().ask) == expected)
    assert gateway.put_route(tenant.tenant_id, "green", CALL) == "green"
    assert all(
        instances.health(endpoint) == instances.InstanceHealth("UP", str(version))
        for endpoint in tenant.endpoints
    )
    services.notify(tenant.endpoints[0], tenant.tenant_id, version, "green", CALL)
    ob_service.put_status(tenant.tenant_id, "green", CALL)

    assert (world.route(tenant.tenant_id), world.status(tenant.tenant_id)) == ("green", "GREEN")
    assert ob_service.get_tenant(tenant.tenant_id).environment == "green"


def test_the_list_comes_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    [everything] = ob_service.tenant_pages()
    first, following = ob_service.list_tenants(limit=2)
    assert (len(everything), first, following) == (5, everything[:2], everything[1].tenant_id)


def test_a_tenant_that_is_not_there_is_unknown() -> None:
    with pytest.raises(errors.TenantUnknown):
        ob_service.get_tenant("nobody")
