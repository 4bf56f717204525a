"""Create, start, switch, fail, retry through the API, in the agreed shapes."""

from datetime import datetime

import pytest

from plans import registry_sync
from plans.models import Event, EventKind, Plan, Task
from tests.api.checks import done, refused
from tests.api.conftest import Caller
from tests.support.driving import work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "BLUE_GREEN_SWITCH"


@pytest.fixture(autouse=True)
def _registry(sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()


def create(operator: Caller, *tenants: str, **more: object) -> int:
    body = {"name": "Switch", "tenantIds": tenants, "executorType": TYPE, **more}
    return int(done(operator.post("/plans", body), 201)["planId"])


def the_task(operator: Caller, plan_id: int, tenant: str) -> int:
    found = done(operator.get("/tasks", planId=plan_id, tenantId=tenant))
    assert found["total"] == 1
    return int(found["items"][0]["taskId"])


def test_a_plan_is_created_with_its_waves_in_numbers(operator: Caller) -> None:
    answer = operator.post(
        "/plans",
        {
            "name": "Switch “all” <b>",
            "tenantIds": [f"tenant-{n:03}" for n in range(1, 11)],
            "executorType": TYPE,
            "waves": [{"size": 1}, {"percent": 25, "mode": "FIFO"}, {"rest": True}],
        },
    )
    body = done(answer, 201)
    assert answer.headers["Location"] == f"/api/plans/{body['planId']}"
    assert body["state"] == "CREATED"
    assert body["taskCount"] == 10
    assert body["target"] == "green"
    assert body["warnings"] == []
    assert body["waves"] == [
        {"size": 1, "mode": "CONCURRENT", "soakSeconds": 0, "approval": False},
        {"size": 3, "mode": "FIFO", "soakSeconds": 0, "approval": False},
        {"size": 6, "mode": "CONCURRENT", "soakSeconds": 0, "approval": False},
    ]
    shown = done(operator.get(f"/plans/{body['planId']}"))
    assert shown["name"] == "Switch “all” <b>"
    assert shown["counts"]["PENDING"] == shown["taskCount"] == 10
    assert [wave["counts"]["PENDING"] for wave in shown["waves"]] == [1, 3, 6]
    assert [task.tenant_id for task in Task.objects.order_by("position")] == [
        f"tenant-{n:03}" for n in range(1, 11)
    ]


def test_tenants_keep_the_order_of_the_request(operator: Caller) -> None:
    plan_id = create(operator, "tenant-003", "tenant-001", "tenant-002")
    items = done(operator.get("/tasks", planId=plan_id))["items"]
    assert [task["tenantId"] for task in items] == ["tenant-003", "tenant-001", "tenant-002"]


def test_a_configuration_can_come_along(operator: Caller, sandbox: Sandbox) -> None:
    tenants = [
        {"tenantId": "tenant-001", "configVersion": "42", "config": {"limit": 7}},
        {"tenantId": "tenant-002", "configVersion": 43},
    ]
    body = {"name": "With configuration", "tenants": tenants, "executorType": TYPE}
    plan_id = done(operator.post("/plans", body), 201)["planId"]
    task_id = the_task(operator, plan_id, "tenant-001")
    assert done(operator.get(f"/tasks/{task_id}"))["target"] == {
        "environment": "green",
        "version": 42,
        "payload": {"limit": 7},
    }
    operator.post(f"/plans/{plan_id}/start")
    work_off()
    assert set(sandbox.versions("tenant-001")) == {"42"}
    assert set(sandbox.versions("tenant-002")) == {"43"}


def test_a_dry_run_shows_everything_and_stores_nothing(operator: Caller) -> None:
    body = {
        "name": "Dry",
        "tenantIds": ["tenant-001", "no-such-tenant", "tenant-002"],
        "executorType": TYPE,
        "waves": [{"size": 1}, {"rest": True}],
    }
    for answer in (
        operator.post("/plans?dryRun=true", body),
        operator.post("/plans", {**body, "dryRun": True}),
    ):
        shown = done(answer)
        assert shown["summary"]["errors"] == 1
        assert shown["summary"]["issues"][0]["tenantId"] == "no-such-tenant"
        assert shown["summary"]["issues"][0]["code"] == "TENANT_UNKNOWN"
        assert shown["target"] == "green"
        assert shown["taskCount"] == 3
        assert [wave["size"] for wave in shown["waves"]] == [1, 2]
    assert not Plan.objects.exists()
    assert not Event.objects.exists()


def test_a_refusal_names_every_fault_of_every_tenant_and_stores_only_itself(
    operator: Caller,
) -> None:
    create(operator, "tenant-001")
    answer = operator.post(
        "/plans",
        {
            "name": "",
            "tenantIds": ["tenant-001", "tenant-002", "tenant-002", "a/b", "nobody"],
            "executorType": "TELEPORT",
            "maxConcurrency": 0,
        },
    )
    error = refused(answer, 422, "VALIDATION_FAILED")
    assert {(each["tenantId"], each["code"]) for each in error["details"]} == {
        (None, "NAME_MISSING"),
        (None, "EXECUTOR_TYPE_UNKNOWN"),
        (None, "MAX_CONCURRENCY"),
        ("tenant-001", "TENANT_CONFLICT"),
        ("tenant-002", "TENANT_DUPLICATE"),
        ("a/b", "TENANT_ID_MALFORMED"),
        ("nobody", "TENANT_UNKNOWN"),
    }
    assert Plan.objects.count() == 1
    assert Event.objects.filter(kind=EventKind.PLAN_REFUSED).count() == 1


def test_warnings_come_with_the_new_plan(operator: Caller) -> None:
    body = {"name": "Back", "tenantIds": ["tenant-001"], "executorType": TYPE, "target": "blue"}
    created = done(operator.post("/plans", body), 201)
    assert [(each["tenantId"], each["code"]) for each in created["warnings"]] == [
        ("tenant-001", "ALREADY_THERE")
    ]


def test_start_switch_fail_and_retry(operator: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=504)
    plan_id = create(operator, "tenant-001", "tenant-002", failurePolicy="continue")
    started = done(operator.post(f"/plans/{plan_id}/start", {"reason": "in the window"}))
    assert started["planId"] == plan_id
    assert started["state"] == "RUNNING"
    assert datetime.fromisoformat(started["startedAt"]).tzinfo
    work_off()

    assert done(operator.get(f"/plans/{plan_id}"))["counts"]["COMPLETED"] == 1
    task_id = the_task(operator, plan_id, "tenant-002")
    task = done(operator.get(f"/tasks/{task_id}"))
    assert task["taskId"] == task_id
    assert task["state"] == "FAILED"
    assert task["failureInfo"]["errorCode"] == "GATEWAY_UNAVAILABLE"
    assert task["failureInfo"]["stage"] == "switch_route"
    assert task["failureInfo"]["kind"] == "NETWORK"
    assert task["failureInfo"]["reason"]
    assert datetime.fromisoformat(task["failureInfo"]["timestamp"]).tzinfo
    assert task["checkpoint"] == {
        "step": "NOTIFIED",
        "data": {
            "completedSteps": ["read_tenant", "deliver_config", "notify_services"],
            "failedStep": "switch_route",
        },
    }
    assert [run["state"] for run in task["stageRuns"]][:3] == ["COMPLETED"] * 3
    assert {run["state"] for run in task["stageRuns"][3:]} == {"FAILED"}

    sandbox.clear_faults()
    retried = done(operator.post(f"/tasks/{task_id}/retry", {"fromCheckpoint": True}))
    assert retried["taskId"] == task_id
    assert retried["state"] == "RUNNING"
    assert datetime.fromisoformat(retried["retriedAt"]).tzinfo
    work_off()
    task = done(operator.get(f"/tasks/{task_id}"))
    assert (task["state"], task["failureInfo"], task["checkpoint"]) == ("COMPLETED", None, None)
    assert done(operator.get(f"/plans/{plan_id}"))["state"] == "COMPLETED"


def test_a_retry_from_scratch_runs_all_stages_again(operator: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=400)
    plan_id = create(operator, "tenant-001")
    operator.post(f"/plans/{plan_id}/start")
    work_off()
    sandbox.clear_faults()
    retried = done(operator.post(f"/plans/{plan_id}/retry", {"fromCheckpoint": False}))
    assert retried["state"] == "RUNNING"
    assert "retriedAt" in retried
    work_off()
    task = done(operator.get(f"/tasks/{the_task(operator, plan_id, 'tenant-001')}"))
    assert [run["stage"] for run in task["stageRuns"]].count("read_tenant") == 2


def test_a_plan_is_paused_resumed_cancelled_and_rolled_back(
    operator: Caller, sandbox: Sandbox
) -> None:
    plan_id = create(operator, "tenant-001", "tenant-002", maxConcurrency=1)
    operator.post(f"/plans/{plan_id}/start")
    paused = done(operator.post(f"/plans/{plan_id}/pause", {"seen": "RUNNING"}))
    assert (paused["state"], "pausedAt" in paused) == ("PAUSED", True)
    resumed = done(operator.post(f"/plans/{plan_id}/resume", {"seen": paused["revision"]}))
    assert (resumed["state"], "resumedAt" in resumed) == ("RUNNING", True)
    work_off()
    assert done(operator.get(f"/plans/{plan_id}"))["state"] == "COMPLETED"
    back = done(operator.post(f"/plans/{plan_id}/rollback"))
    assert (back["state"], "rollbackStartedAt" in back) == ("ROLLING_BACK", True)
    work_off()
    assert done(operator.get(f"/plans/{plan_id}"))["state"] == "ROLLED_BACK"
    assert sandbox.route("tenant-001") == "blue"

    other = create(operator, "tenant-003")
    cancelled = done(operator.post(f"/plans/{other}/cancel"))
    assert (cancelled["state"], "cancelledAt" in cancelled) == ("CANCELLED", True)


def test_a_task_is_paused_resumed_rolled_back_and_cancelled(operator: Caller) -> None:
    plan_id = create(operator, "tenant-001", "tenant-002")
    operator.post(f"/plans/{plan_id}/start")
    first = the_task(operator, plan_id, "tenant-001")
    second = the_task(operator, plan_id, "tenant-002")
    paused = done(operator.post(f"/tasks/{first}/pause"))
    assert (paused["taskId"], paused["state"], paused["requested"]) == (first, "PAUSED", None)
    assert paused["pausedAt"]
    assert done(operator.post(f"/tasks/{first}/resume"))["state"] == "RUNNING"
    assert done(operator.post(f"/tasks/{second}/cancel"))["state"] == "CANCELLED"
    work_off()
    assert done(operator.post(f"/tasks/{first}/rollback"))["state"] == "ROLLING_BACK"
    work_off()
    assert done(operator.get(f"/tasks/{first}"))["state"] == "ROLLED_BACK"


def test_a_running_task_that_is_paused_says_that_it_was_asked(operator: Caller) -> None:
    plan_id = create(operator, "tenant-001")
    operator.post(f"/plans/{plan_id}/start")
    Task.objects.update(lease_owner="a worker")
    task_id = the_task(operator, plan_id, "tenant-001")
    asked = done(operator.post(f"/tasks/{task_id}/pause"))
    assert (asked["state"], asked["requested"], asked["pausedAt"]) == ("RUNNING", "pause", None)


def test_what_does_not_fit_the_state_is_refused_in_words(operator: Caller) -> None:
    plan_id = create(operator, "tenant-001")
    task_id = the_task(operator, plan_id, "tenant-001")
    error = refused(operator.post(f"/plans/{plan_id}/resume"), 409, "ILLEGAL_TRANSITION")
    assert "created" in error["message"]
    assert "resume" in error["message"]
    refused(operator.post(f"/tasks/{task_id}/retry"), 409, "ILLEGAL_TRANSITION")
    refused(operator.post(f"/tasks/{task_id}/rollback"), 409, "ILLEGAL_TRANSITION")


def test_what_has_changed_since_the_sender_looked_is_refused(operator: Caller) -> None:
    plan_id = create(operator, "tenant-001")
    before = done(operator.get(f"/plans/{plan_id}"))
    for seen in ("RUNNING", before["revision"] + 1):
        answer = operator.post(f"/plans/{plan_id}/start", {"seen": seen})
        refused(answer, 409, "CHANGED_SINCE_YOU_LOOKED")
    assert done(operator.get(f"/plans/{plan_id}")) == before


def test_each_task_of_a_selection_is_answered_for_itself(operator: Caller) -> None:
    plan_id = create(operator, "tenant-001", "tenant-002")
    other = the_task(operator, create(operator, "tenant-003"), "tenant-003")
    first = the_task(operator, plan_id, "tenant-001")
    second = the_task(operator, plan_id, "tenant-002")
    operator.post(f"/tasks/{second}/cancel")
    body = {"taskIds": [first, second, other, first, 2**63 - 1], "reason": "not tonight"}
    answered = done(operator.post(f"/plans/{plan_id}/tasks/cancel", body))
    assert answered["done"] == [first]
    assert [each["taskId"] for each in answered["skipped"]] == [second, other, 2**63 - 1]
    assert all(each["reason"] for each in answered["skipped"])
    assert Task.objects.get(pk=other).state == "PENDING"
    assert Event.objects.get(kind=EventKind.TASK_CANCELLED, task=first).reason == "not tonight"


def test_a_selection_is_retried_from_scratch(operator: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=400)
    plan_id = create(operator, "tenant-001")
    operator.post(f"/plans/{plan_id}/start")
    work_off()
    task_id = the_task(operator, plan_id, "tenant-001")
    body = {"taskIds": [task_id], "fromCheckpoint": False}
    refused(operator.post(f"/plans/{plan_id}/tasks/cancel", body), 400, "MALFORMED")
    assert done(operator.post(f"/plans/{plan_id}/tasks/retry", body))["done"] == [task_id]
    assert Task.objects.get(pk=task_id).cursor == 0
