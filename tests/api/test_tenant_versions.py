"""`GET /api/tenants/{id}/versions`: what is said, to whom, and when Redis is away."""

from collections.abc import Callable

import pytest
from django.test import override_settings

from plans import registry_sync
from plans.models import Event, Tenant
from plans.stores import tenant_config
from tests.api.checks import done, refused
from tests.api.conftest import Caller
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db

PATH = "/tenants/tenant-001/versions"


@pytest.fixture(autouse=True)
def _registry(sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()


def test_a_viewer_sees_redis_beside_what_each_instance_reports(
    calling: Callable[[str], Caller], sandbox: Sandbox
) -> None:
    tenant_config.write("tenant-001", 40, 3, "blue", {"secret": "stays"})
    wait_until(lambda: sandbox.versions("tenant-001") == ["40"] * 3)
    sandbox.add_fault("tenant-001", "instance.config", "drop", instance=2)
    body = done(calling("viewer").get(PATH))
    assert {key: body["redis"][key] for key in ("version", "epoch", "color")} == {
        "version": "40",
        "epoch": "3",
        "color": "blue",
    }
    assert (body["tenantId"], body["expected"], body["agreed"]) == ("tenant-001", "40", False)
    assert body["counts"] == {"latest": 2, "outdated": 0, "silent": 1}
    assert body["instances"][1]["error"] == "INSTANCE_UNREACHABLE"
    assert "secret" not in str(body)


def test_looking_changes_nothing(operator: Caller, sandbox: Sandbox) -> None:
    before = (sandbox.tenant("tenant-001"), list(Tenant.objects.values()), Event.objects.count())
    body = done(operator.get(PATH))
    assert (body["redis"], body["expected"], body["agreed"]) == (None, "19", True)
    after = (sandbox.tenant("tenant-001"), list(Tenant.objects.values()), Event.objects.count())
    assert after == before


def test_strangers_and_nobody_are_refused(calling: Callable[[str], Caller]) -> None:
    refused(calling("nobody").get(PATH), 401)
    refused(calling("stranger").get(PATH), 403)


@pytest.mark.parametrize("tenant_id", ["nobody", "%00", "%F0%9F%98%80" * 100])
def test_a_tenant_that_there_is_not_is_not_found(operator: Caller, tenant_id: str) -> None:
    refused(operator.get(f"/tenants/{tenant_id}/versions"), 404)


def test_a_redis_that_is_away_is_said(operator: Caller) -> None:
    with override_settings(TENANT_REDIS_URL="redis://:secret@127.0.0.1:1/0"):
        error = refused(operator.get(PATH), 503, "REDIS_UNAVAILABLE")
    assert "secret" not in str(error)
