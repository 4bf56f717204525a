"""`manage.py sync_tenants`."""

import pytest

from plans.models import Tenant
from tests.commands.conftest import Manage
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def test_the_registry_is_filled_and_refreshed(manage: Manage, sandbox: Sandbox) -> None:
    assert manage("sync_tenants").out == "The OB service named 60 tenants.\n"
    assert Tenant.objects.count() == 60
    sandbox.change_tenant("tenant-001", status="GREEN", configVersion=77)
    assert manage("sync_tenants").code == 0
    tenant = Tenant.objects.get(pk="tenant-001")
    assert (tenant.environment, tenant.config_version) == ("green", 77)
    assert Tenant.objects.count() == 60


def test_a_failing_ob_service_is_said_and_forgets_nobody(manage: Manage, sandbox: Sandbox) -> None:
    manage("sync_tenants")
    sandbox.add_fault("*", "ob.list", "status", code=500)
    ended = manage("sync_tenants")
    assert ended.code == 1
    assert "OB_SERVICE_UNAVAILABLE" in ended.err
    assert Tenant.objects.count() == 60


def test_a_list_that_misses_most_tenants_is_believed_when_told_so(
    manage: Manage, sandbox: Sandbox
) -> None:
    manage("sync_tenants")
    sandbox.reset(tenants=10)
    assert manage("sync_tenants").out == "The OB service named 10 tenants.\n"
    assert not Tenant.objects.exclude(gone_at=None).exists()
    assert manage("sync_tenants", "--trust-list").code == 0
    assert Tenant.objects.exclude(gone_at=None).count() == 50
