"""Tenants that the OB service no longer has: marked, left out, back when it names them again."""

import logging

import pytest

from plans import conf, operations, registry_sync
from plans.clients import ob_service
from plans.clients.ob_service import TenantRecord
from plans.errors import ServiceBadAnswer
from plans.models import Tenant
from plans.queries import fleet, lists, tenants, wall
from plans.validation.tenant_ids import validate_tenant_ids
from tests.plans import asking
from tests.plans.rows import make_tenant
from tests.support.driving import OPERATOR, make_plan
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db


def gone() -> list[str]:
    return list(Tenant.objects.exclude(gone_at=None).order_by("pk").values_list("pk", flat=True))


def on_the_wall() -> list[str]:
    return [row.tenant_id for row in wall.fleet_rows()]


@pytest.fixture
def shrunk(sandbox: Sandbox) -> Sandbox:
    """The registry has 60 tenants, the OB service has the first 58 of them."""
    registry_sync.sync_tenants()
    sandbox.reset(tenants=58)
    return sandbox


def test_who_is_in_no_list_and_unknown_is_marked_and_keeps_labels(shrunk: Sandbox) -> None:
    Tenant.objects.filter(pk="tenant-060").update(labels={"ring": "late"})
    last = tenants.last_read()
    assert registry_sync.sync_tenants() == 58
    assert gone() == ["tenant-059", "tenant-060"]
    assert Tenant.objects.count() == 60
    assert tenants.read_since(last) == gone(), "open pages are told"
    asked = calls_of(shrunk.calls(), step="ob.get_tenant")
    assert sorted(call["path"] for call in asked) == [f"/ob/tenants/{each}" for each in gone()]

    registry_sync.sync_tenants()
    assert len(calls_of(shrunk.calls(), step="ob.get_tenant")) == 2, "who is gone is not asked for"
    shrunk.change_tenant("tenant-060", status="GREEN")
    registry_sync.sync_tenants()
    assert gone() == ["tenant-059"]
    back = Tenant.objects.get(pk="tenant-060")
    assert (back.environment, back.labels) == ("green", {"ring": "late"})


def test_a_tenant_that_the_list_passed_over_is_asked_for_and_stays(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry_sync.sync_tenants()
    listed = ob_service.list_tenants

    def shifted(after: str) -> tuple[list[TenantRecord], str | None]:
        records, following = listed(after)
        return [each for each in records if each.tenant_id != "tenant-007"], following

    monkeypatch.setattr(ob_service, "list_tenants", shifted)
    assert registry_sync.sync_tenants() == 59
    assert gone() == []
    [asked] = calls_of(sandbox.calls(), step="ob.get_tenant")
    assert asked["path"] == "/ob/tenants/tenant-007"


def test_a_tenant_of_which_nobody_knows_stays(shrunk: Sandbox) -> None:
    shrunk.add_fault("tenant-059", "ob.get_tenant", "status", code=503)
    registry_sync.sync_tenants()
    assert gone() == ["tenant-060"]


def test_a_list_that_breaks_off_marks_nobody(sandbox: Sandbox) -> None:
    make_tenant("tenant-none")
    sandbox.reset(tenants=1000)
    for tenant_id in ("x-1", "x-2"):
        sandbox.change_tenant(tenant_id, name="x" * 600_000)
    with pytest.raises(ServiceBadAnswer, match="larger"):
        registry_sync.sync_tenants()
    assert Tenant.objects.count() == 1001
    assert gone() == []


@pytest.mark.parametrize("left", [0, 20])
def test_a_list_that_misses_most_of_the_registry_is_not_believed(
    left: int, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    registry_sync.sync_tenants()
    sandbox.reset(tenants=left)
    with caplog.at_level(logging.WARNING):
        assert registry_sync.sync_tenants() == left
    assert gone() == []
    assert f"misses {60 - left} of the 60 tenants" in caplog.text
    assert not calls_of(sandbox.calls(), step="ob.get_tenant")

    registry_sync.sync_tenants(trust_list=True)
    assert len(gone()) == 60 - left


def test_a_service_without_a_list_loses_nobody(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    make_tenant("tenant-none")
    sandbox.add_fault("*", "ob.list", "status", code=404)
    registry_sync.sync_tenants()
    assert gone() == []
    ours = (ob_service.__name__, registry_sync.__name__)
    assert not [each for each in caplog.records if each.name in ours]


def test_so_many_are_asked_for_in_one_round(
    shrunk: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrunk.reset(tenants=50)
    monkeypatch.setattr(conf, "GONE_QUESTIONS_MAX", 4)
    for marked in (4, 8, 10, 10):
        registry_sync.sync_tenants()
        assert len(gone()) == marked


def test_who_is_gone_stands_nowhere_to_be_chosen(shrunk: Sandbox) -> None:
    Tenant.objects.filter(pk__in=["tenant-001", "tenant-060"]).update(labels={"ring": "late"})
    registry_sync.sync_tenants()
    assert "tenant-060" not in on_the_wall()
    assert fleet.whole().total == 58
    assert sum(figure.count for figure in fleet.whole().environments) == 58
    picker = tenants.search("tenant-0", "")
    assert picker.total == len(picker.all_ids()) == 58
    assert tenants.labels() == [("ring=late", 1)]
    assert lists.tenants().count() == 58


def test_who_is_gone_stays_on_the_wall_until_its_task_has_ended(shrunk: Sandbox) -> None:
    shrunk.reset()
    plan = make_plan(["tenant-060"])
    shrunk.reset(tenants=58)
    registry_sync.sync_tenants()
    assert gone() == ["tenant-059", "tenant-060"]
    assert on_the_wall()[-2:] == ["tenant-058", "tenant-060"]
    assert fleet.whole().total == 59
    operations.cancel_plan(plan.pk, OPERATOR)
    assert "tenant-060" not in on_the_wall()
    assert fleet.whole().total == 58
    assert Tenant.objects.get(pk="tenant-060").tasks.count() == 1


def test_a_plan_that_names_who_is_gone_is_told_so(shrunk: Sandbox) -> None:
    registry_sync.sync_tenants()
    request = {"tenants": asking.tenants("tenant-001", "tenant-060", "tenant-999")}
    assert asking.found(validate_tenant_ids, **request) == [
        ("error", "TENANT_GONE", "tenant-060"),
        ("error", "TENANT_UNKNOWN", "tenant-999"),
    ]
    assert gone() == ["tenant-059", "tenant-060"]


def test_a_plan_that_names_who_is_back_finds_it_at_once(shrunk: Sandbox) -> None:
    registry_sync.sync_tenants()
    shrunk.change_tenant("tenant-060")
    assert asking.found(validate_tenant_ids, tenants=asking.tenants("tenant-060")) == []
    assert gone() == ["tenant-059"]
