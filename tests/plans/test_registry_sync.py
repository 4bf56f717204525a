"""The registry of tenants follows the list of the OB service."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans import conf, registry_sync
from plans.clients.ob_service import TenantRecord
from plans.errors import ServiceUnavailable
from plans.models import Tenant
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db


def record(tenant_id: str, environment: str = "blue") -> TenantRecord:
    return TenantRecord(tenant_id, tenant_id, environment, 19, ("http://127.0.0.1:9/1",))


def test_every_tenant_of_the_list_is_stored_and_refreshed(sandbox: Sandbox) -> None:
    assert registry_sync.sync_tenants() == 60
    assert Tenant.objects.count() == 60
    Tenant.objects.filter(pk="tenant-001").update(labels={"tier": "gold"})
    sandbox.change_tenant("tenant-001", status="GREEN", name="Anew")
    registry_sync.sync_tenants()
    tenant = Tenant.objects.get(pk="tenant-001")
    assert (tenant.environment, tenant.name, tenant.config_version) == ("green", "Anew", 19)
    assert tenant.labels == {"tier": "gold"}


def test_the_list_is_read_page_by_page(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "OB_LIST_LIMIT", 7)
    sandbox.reset(tenants=1500)
    assert registry_sync.sync_tenants() == 1500
    assert Tenant.objects.count() == 1500
    assert len(calls_of(sandbox.calls(), step="ob.list")) == 2


@pytest.mark.parametrize("code", [404, 501])
def test_a_service_without_a_list_names_none(sandbox: Sandbox, code: int) -> None:
    registry_sync.store([record("kept")])
    sandbox.add_fault("*", "ob.list", "status", code=code)
    assert registry_sync.sync_tenants() == 0
    assert list(Tenant.objects.values_list("pk", flat=True)) == ["kept"]


def test_a_list_that_is_away_is_an_error(sandbox: Sandbox) -> None:
    sandbox.add_fault("*", "ob.list", "status", code=503)
    with pytest.raises(ServiceUnavailable):
        registry_sync.sync_tenants()


def test_a_tenant_that_is_named_twice_is_stored_as_it_was_named_last() -> None:
    registry_sync.store([record("twice", "blue"), record("once"), record("twice", "green")])
    assert Tenant.objects.get(pk="twice").environment == "green"
    assert Tenant.objects.count() == 2


@pytest.mark.parametrize("odd", ["x" * 65, "a/b", "a b", ""])
def test_a_tenant_that_no_plan_could_name_hides_no_other(odd: str) -> None:
    registry_sync.store([record(odd), record("good")])
    assert list(Tenant.objects.values_list("pk", flat=True)) == ["good"]


def test_a_tenant_that_is_as_it_was_is_not_written_again(sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()
    before = dict(Tenant.objects.values_list("pk", "synced_at"))
    sandbox.change_tenant("tenant-007", name="Anew")
    with CaptureQueriesContext(connection) as seen:
        registry_sync.sync_tenants()
    assert sum("INSERT" in statement["sql"] for statement in seen) == 1
    after = dict(Tenant.objects.values_list("pk", "synced_at"))
    assert [pk for pk in before if before[pk] != after[pk]] == ["tenant-007"]
    assert registry_sync.sync_tenants() == 60
    assert dict(Tenant.objects.values_list("pk", "synced_at")) == after
