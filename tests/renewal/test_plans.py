"""A plan keeps its tenants' keys and its guard alive while it is at work, and no longer."""

import json

import pytest
from redis import Redis

from plans import conf, operations
from plans.models import Plan, PlanState, Renewal
from plans.renewal import plan_keys
from plans.stores import tenant_config
from tests.renewal.conftest import Serve
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TENANTS = ["tenant-001", "tenant-002"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "PLAN_KEYS_REFRESH_SECONDS", 0.2)
    monkeypatch.setattr(conf, "RENEWAL_DONE_SECONDS", 0.2)
    monkeypatch.setattr(conf, "PLAN_KEYS_INTERVAL_SECONDS", 0.5)


def write(tenant: str, tenants: Redis, ttl_ms: int) -> str:
    key = tenant_config.key_of(tenant)
    tenant_config.write(tenant, version=19, epoch=0, color="blue", payload={})
    tenants.pexpire(key, ttl_ms)
    return key


def test_a_plan_keeps_its_keys_alive_while_it_runs_and_stops_after(
    sandbox: Sandbox, serve: Serve, tenants: Redis
) -> None:
    keys = [write(tenant, tenants, 50_000) for tenant in TENANTS]
    lasting = tenant_config.key_of("tenant-003")
    stranger = write("tenant-004", tenants, 50_000)
    tenant_config.write("tenant-003", version=19, epoch=0, color="blue", payload={})
    plan = make_plan([*TENANTS, "tenant-003"])
    serve()
    operations.start_plan(plan.pk, OPERATOR)
    guard = plan_keys.guard_key(plan.pk)
    for key in (*keys, guard):
        wait_until(lambda key=key: tenants.pttl(key) > 50_000, message=f"{key} is renewed")  # type: ignore[misc]
    assert json.loads(tenants.get(guard) or b"")["who"] == "olga"
    assert tenants.pttl(lasting) == -1
    assert tenants.pttl(stranger) <= 50_000

    tenants.delete(guard)
    wait_until(lambda: tenants.exists(guard), message="a lost guard is set again")

    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    wait_until(lambda: Renewal.objects.get().stop_reason == "done", message="it ends with the plan")
    assert not tenants.exists(guard)
    ends = [tenants.pexpiretime(key) for key in keys]
    assert plan_keys.make_missing() == 0
    assert [tenants.pexpiretime(key) for key in keys] == ends


def test_a_plan_has_one_renewal_whoever_makes_it_and_another_after_a_rollback(
    sandbox: Sandbox, serve: Serve
) -> None:
    plan = make_plan(TENANTS)
    assert plan_keys.make_missing() == 0  # It was not started.
    operations.start_plan(plan.pk, OPERATOR)
    assert plan_keys.make_missing() == 1
    assert plan_keys.make_missing() == 0
    work_off()
    serve()
    wait_until(lambda: Renewal.objects.get().stop_reason == "done")
    operations.roll_back_plan(plan.pk, OPERATOR)
    wait_until(lambda: Renewal.objects.filter(stopped_at=None).exists(), message="there is another")
    work_off()
    wait_until(lambda: Renewal.objects.filter(stop_reason="done").count() == 2)


def test_a_configuration_has_a_ttl_when_one_is_set(
    tenants: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tenant_config.key_of("tenant-001")
    tenant_config.write("tenant-001", version=19, epoch=0, color="blue", payload={})
    assert tenants.pttl(key) == -1
    monkeypatch.setattr(conf, "CONFIG_TTL_SECONDS", 90.0)
    tenant_config.write("tenant-001", version=20, epoch=0, color="blue", payload={})
    assert 30_000 < tenants.pttl(key) <= 90_000
    tenants.persist(key)
    tenant_config.write("tenant-001", version=19, epoch=0, color="green", payload={})
    assert tenants.pttl(key) == -1  # What was refused changes nothing.
