"""Lists: filters, pages, and the cursor of events."""

import pytest

from plans import operations, registry_sync
from plans.models import Plan, Task
from plans.models.tenant import Tenant
from tests.api.checks import done
from tests.api.conftest import Caller
from tests.support.driving import OPERATOR, make_plan
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def numbered(first: int, last: int) -> list[str]:
    return [f"tenant-{n:03}" for n in range(first, last + 1)]


def test_a_list_is_read_page_by_page(operator: Caller, sandbox: Sandbox) -> None:
    plan = make_plan(numbered(1, 25))
    seen = []
    for page, size in ((1, 10), (2, 10), (3, 5)):
        body = done(operator.get("/tasks", planId=plan.pk, page=page, pageSize=10))
        assert (body["total"], body["page"], body["pageSize"]) == (25, page, 10)
        assert len(body["items"]) == size
        seen += [task["tenantId"] for task in body["items"]]
    assert seen == numbered(1, 25)


def test_a_page_behind_the_last_is_empty(operator: Caller, sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()
    for page in (3, 1_000_000_000):
        body = done(operator.get("/tenants", page=page))
        assert (body["items"], body["total"], body["page"]) == ([], 60, page)


def test_plans_are_found_by_name_number_and_state(operator: Caller, sandbox: Sandbox) -> None:
    first = make_plan(numbered(1, 1), name="Friday 100%")
    second = make_plan(numbered(2, 2), name="saturday_night")
    operations.cancel_plan(second.pk, OPERATOR)

    def found(**query: object) -> list[int]:
        return [plan["planId"] for plan in done(operator.get("/plans", **query))["items"]]

    assert found() == [second.pk, first.pk]
    assert found(search="FRIDAY") == [first.pk]
    assert found(search="%") == [first.pk]
    assert found(search="_") == [second.pk]
    assert second.pk in found(search=str(second.pk))
    assert found(search="9" * 30) == []
    assert found(search="²") == []
    assert found(state="CANCELLED") == [second.pk]
    assert found(state=["CANCELLED", "CREATED"]) == [second.pk, first.pk]
    assert found(state="", search="", page=1) == [second.pk, first.pk]


def test_tasks_are_found_by_plan_tenant_and_state(operator: Caller, sandbox: Sandbox) -> None:
    plan = make_plan(numbered(1, 3))
    make_plan(numbered(4, 5))
    operations.cancel_task(Task.objects.get(tenant="tenant-002").pk, OPERATOR)

    def found(**query: object) -> list[str]:
        return [task["tenantId"] for task in done(operator.get("/tasks", **query))["items"]]

    assert found(planId=plan.pk) == numbered(1, 3)
    assert found(planId=plan.pk, state="PENDING") == ["tenant-001", "tenant-003"]
    assert found(tenantId="tenant-004") == ["tenant-004"]
    assert found(planId=plan.pk + 99) == []
    assert found(planId="", tenantId="", state="CANCELLED") == ["tenant-002"]
    assert len(found()) == 5


def test_tenants_are_found_by_id_name_and_environment(operator: Caller, sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()
    Tenant.objects.filter(pk="tenant-007").update(environment="green", name="Łódź")
    body = done(operator.get("/tenants", environment="green"))
    assert [each["tenantId"] for each in body["items"]] == ["tenant-007"]
    tenant = body["items"][0]
    assert set(tenant) == {
        "tenantId",
        "name",
        "environment",
        "configVersion",
        "endpoints",
        "labels",
        "syncedAt",
    }
    assert tenant["configVersion"].isdigit()
    assert done(operator.get("/tenants", search="łódź".upper()))["total"] in (0, 1)
    assert done(operator.get("/tenants", search="Łódź"))["total"] == 1
    assert done(operator.get("/tenants", search="TENANT-01"))["total"] == 10


def test_events_are_followed_by_their_cursor_without_a_gap(
    operator: Caller, sandbox: Sandbox
) -> None:
    plan = make_plan(numbered(1, 20))
    seqs: list[int] = []
    while True:
        after = seqs[-1] if seqs else 0
        path = f"/plans/{plan.pk}/events"
        body = done(operator.get(path, after=after, limit=7))
        assert body["total"] == body["lastSeq"] - after
        assert (body["page"], body["pageSize"]) == (1, 7)
        if not body["items"]:
            break
        seqs += [event["seq"] for event in body["items"]]
    assert seqs == list(range(1, 42))
    operations.cancel_plan(plan.pk, OPERATOR, reason="enough")
    items = done(operator.get(path, after=41))["items"]
    assert items[0] | {"at": "", "hash": ""} == {
        "seq": 42,
        "kind": "plan.cancelled",
        "at": "",
        "actor": "olga",
        "taskId": None,
        "tenantId": None,
        "fromState": "CREATED",
        "toState": "CANCELLED",
        "reason": "enough",
        "epoch": None,
        "data": {},
        "hash": "",
    }
    assert done(operator.get(path, after=2**63 - 1))["items"] == []


def test_a_list_asks_the_database_as_often_for_many_as_for_few(
    operator: Caller, sandbox: Sandbox, django_assert_max_num_queries: object
) -> None:
    for n in range(1, 11):
        make_plan(numbered(n, n))
    assert Plan.objects.count() == 10
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        assert len(done(operator.get("/plans"))["items"]) == 10
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert len(done(operator.get("/tasks"))["items"]) == 10
