"""Two processes create conflicting plans at the same moment: one of them gets its plan."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from django.utils import timezone

from plans import operations, registry_sync
from plans.errors import ValidationFailed
from plans.models import ApiToken, Event, EventKind, Plan, Task, Tenant
from plans.validation import Issue, PlanRequest, Subject, TenantRequest, chain
from tests.api.conftest import make_user
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 6
TENANTS_A_ROUND = 200


def tenant_id(number: int) -> str:
    return f"t-{number:05}"


def register(count: int) -> None:
    """Let the registry know `count` tenants."""
    Tenant.objects.bulk_create(
        Tenant(
            tenant_id=tenant_id(number),
            environment="blue",
            endpoints=["http://127.0.0.1:9"],
            synced_at=timezone.now(),
        )
        for number in range(1, count + 1)
    )


def body_of(name: str, tenants: list[str]) -> dict[str, object]:
    return {"name": name, "tenantIds": tenants, "executorType": "BLUE_GREEN_SWITCH"}


@pytest.mark.processes
def test_one_of_two_processes_gets_its_plan_and_the_other_is_told_why(
    processes: Processes,
) -> None:
    register(ROUNDS * TENANTS_A_ROUND)
    headers = {"Authorization": f"Bearer {ApiToken.issue(make_user('operator'))}"}
    clients = [
        httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=60)
        for web in (processes.web(), processes.web())
    ]
    ready = threading.Barrier(len(clients))

    def create(client: httpx.Client, name: str, tenants: list[str]) -> httpx.Response:
        ready.wait(60)
        return client.post("/api/plans", json=body_of(name, tenants))

    with ThreadPoolExecutor(len(clients)) as threads:
        for turn in range(ROUNDS):
            first = turn * TENANTS_A_ROUND + 1
            tenants = [tenant_id(n) for n in range(first, first + TENANTS_A_ROUND)]
            # Crosswise, and not the same: each has one that the other has not.
            asked = (tenants[:-1], tenants[:0:-1])
            names = (f"{turn} here", f"{turn} there")
            answers = list(threads.map(create, clients, names, asked))

            won = [answer.status_code == 201 for answer in answers]
            assert sum(won) == 1, [answer.text for answer in answers]
            loser = answers[won.index(False)]
            assert loser.status_code in (409, 422), loser.text
            assert "TENANT_CONFLICT" in loser.text
            assert loser.json()["error"]["message"]
            # The winner's plan is whole, and of the other there is nothing.
            plans = Plan.objects.filter(name__startswith=f"{turn} ")
            assert [plan.name for plan in plans] == [names[won.index(True)]]
            stored = Task.objects.filter(plan=plans.get()).order_by("position")
            assert [task.tenant_id for task in stored] == asked[won.index(True)]
    for client in clients:
        client.close()
    assert Task.objects.count() == ROUNDS * (TENANTS_A_ROUND - 1)


def test_the_database_refuses_what_the_chain_could_not_see(sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()
    request = PlanRequest(
        name="Too late",
        tenants=(TenantRequest("tenant-001"), TenantRequest("tenant-002")),
        executor_type="BLUE_GREEN_SWITCH",
    )
    with somebody_is_faster("tenant-002"), pytest.raises(ValidationFailed) as refusal:
        operations.create_plan(request, OPERATOR)
    assert [(issue.tenant_id, issue.code) for issue in refusal.value.summary.errors] == [
        ("tenant-002", "TENANT_CONFLICT")
    ]
    assert [plan.name for plan in Plan.objects.all()] == ["Faster"]
    assert [task.tenant_id for task in Task.objects.all()] == ["tenant-002"]
    assert Event.objects.filter(kind=EventKind.PLAN_REFUSED).count() == 1


@contextmanager
def somebody_is_faster(tenant_id: str) -> Iterator[None]:
    """After the next validation, and before what it allowed is stored, `tenant_id` is taken."""
    begun = []

    def take(subject: Subject) -> Iterable[Issue]:
        if not begun:
            begun.append(True)
            make_plan([tenant_id], name="Faster")
        return ()

    chain.register(take)
    try:
        yield
    finally:
        chain.unregister(take)
