"""Create, start, switch, fail, retry: through the REST API, against a whole installation."""

from datetime import UTC, datetime

import pytest

from tests.acceptance.installed.installation import Api
from tests.support.sandbox import Sandbox, calls_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

TYPE = "BLUE_GREEN_SWITCH"
STEPS = [
    "read_tenant",
    "deliver_config",
    "notify_services",
    "switch_route",
    "check_health",
    "update_status",
]


def create(api: Api, *tenants: str, **more: object) -> int:
    body = {"name": "Switch", "tenantIds": tenants, "executorType": TYPE, **more}
    return int(api.post("/plans", body, status=201)["planId"])


def assert_just_now(text: str) -> None:
    """It is a time with a zone, of the last minutes."""
    assert abs((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()) < 180


def assert_is_at(sandbox: Sandbox, tenant: str, color: str, version: str) -> None:
    """Gateway, OB service and every instance have the tenant there."""
    assert sandbox.route(tenant) == color
    assert sandbox.status(tenant) == color.upper()
    assert set(sandbox.versions(tenant)) == {version}


def test_the_five_scenarios(api: Api, sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-003", "gateway.put_route", "hang")

    # Create
    tenants = ["tenant-001", "tenant-002", "tenant-003"]
    body = {"name": "Plan A", "tenantIds": tenants, "executorType": TYPE}
    created = api.post("/plans", body, status=201)
    plan = f"/plans/{created['planId']}"
    assert (created["state"], created["taskCount"]) == ("CREATED", 3)
    assert all(api.get(f"/tasks/{task}")["state"] == "PENDING" for task in _ids(api, created))
    assert sandbox.route("tenant-001") == "blue"

    # Start
    started = api.post(f"{plan}/start")
    assert (started["planId"], started["state"]) == (created["planId"], "RUNNING")
    assert_just_now(started["startedAt"])

    # Switch
    first, second, third = _ids(api, created)
    for task, tenant in ((first, "tenant-001"), (second, "tenant-002")):
        done = api.wait_for(f"/tasks/{task}", state="COMPLETED")
        assert [run["stage"] for run in done["stageRuns"]] == STEPS
        assert (done["failureInfo"], done["checkpoint"]) == (None, None)
        assert_is_at(sandbox, tenant, "green", "20")

    # Fail
    failed = api.wait_for(f"/tasks/{third}", state="FAILED")
    assert failed["taskId"] == third
    assert failed["failureInfo"]["errorCode"] == "GATEWAY_TIMEOUT"
    assert failed["failureInfo"]["reason"]
    assert_just_now(failed["failureInfo"]["timestamp"])
    assert failed["checkpoint"] == {
        "step": "NOTIFIED",
        "data": {
            "completedSteps": ["read_tenant", "deliver_config", "notify_services"],
            "failedStep": "switch_route",
        },
    }
    assert api.wait_for(plan, state="FAILED")["counts"]["FAILED"] == 1
    assert (sandbox.route("tenant-003"), sandbox.status("tenant-003")) == ("blue", "BLUE")

    # Retry
    sandbox.clear_faults()
    before = sandbox.last_call()
    retried = api.post(f"/tasks/{third}/retry", {"fromCheckpoint": True})
    assert (retried["taskId"], retried["state"]) == (third, "RUNNING")
    assert_just_now(retried["retriedAt"])
    done = api.wait_for(f"/tasks/{third}", state="COMPLETED")
    assert (done["failureInfo"], done["checkpoint"]) == (None, None)
    assert_is_at(sandbox, "tenant-003", "green", "20")
    assert calls_of(sandbox.calls(before), "tenant-003", "ob.get_tenant") == []
    assert len(calls_of(sandbox.calls(before), "tenant-003", "gateway.put_route")) == 1
    api.wait_for(plan, state="COMPLETED")


def test_what_an_operator_can_do_to_a_plan_and_its_tasks(api: Api, sandbox: Sandbox) -> None:
    # Instances that take nothing up hold their tasks before the route.
    sandbox.add_fault("*", "instance.apply", "hang")
    params = {"deliver_config": {"ack_timeout_seconds": 3600}}
    plan_id = create(api, "tenant-011", "tenant-012", "tenant-013", parameters=params)
    plan = f"/plans/{plan_id}"
    first, second, third = (f"/tasks/{task}" for task in api.tasks(plan_id).values())
    api.post(f"{plan}/start", {"seen": "CREATED", "reason": "in the window"})
    for task in (first, second, third):
        api.wait_for(task, step="deliver_config")

    assert api.post(f"{third}/cancel")["state"] in ("RUNNING", "CANCELLED")
    api.wait_for(third, state="CANCELLED", requested=None)
    assert api.post(f"{second}/pause")["state"] in ("RUNNING", "PAUSED")
    api.wait_for(second, state="PAUSED", requested=None)
    assert api.post(f"{second}/resume")["state"] == "RUNNING"
    paused = api.post(f"{plan}/pause")
    assert paused["state"] == "PAUSED"
    assert_just_now(paused["pausedAt"])
    for task in (first, second):
        api.wait_for(task, state="PAUSED", requested=None)
    said = api.refused(f"{first}/resume", None, 409, "ILLEGAL_TRANSITION")["message"]
    assert "tenant-011" in said
    assert "while its plan is paused" in said

    sandbox.clear_faults()
    assert sandbox.route("tenant-011") == "blue"
    resumed = api.post(f"{plan}/resume", {"seen": paused["revision"]})
    assert resumed["state"] == "RUNNING"
    assert_just_now(resumed["resumedAt"])
    for task, tenant in ((first, "tenant-011"), (second, "tenant-012")):
        api.wait_for(task, state="COMPLETED")
        assert_is_at(sandbox, tenant, "green", "20")
    assert api.get(plan)["counts"]["CANCELLED"] == 1
    assert sandbox.route("tenant-013") == "blue"

    assert api.post(f"{first}/rollback")["state"] == "ROLLING_BACK"
    api.wait_for(first, state="ROLLED_BACK")
    assert_is_at(sandbox, "tenant-011", "blue", "21")
    assert sandbox.route("tenant-012") == "green"
    back = api.post(f"{plan}/rollback")
    assert back["state"] == "ROLLING_BACK"
    assert_just_now(back["rollbackStartedAt"])
    api.wait_for(plan, state="ROLLED_BACK")
    assert_is_at(sandbox, "tenant-012", "blue", "21")
    assert_events_are_whole(api, plan_id)


def test_what_is_not_possible_is_refused_in_words_and_changes_nothing(
    api: Api, sandbox: Sandbox
) -> None:
    plan_id = create(api, "tenant-021")
    plan, task = f"/plans/{plan_id}", f"/tasks/{api.tasks(plan_id)['tenant-021']}"
    before = api.get(plan), api.get(task)

    said = api.refused(f"{plan}/resume", {}, 409, "ILLEGAL_TRANSITION")["message"]
    assert said == f"plan {plan_id} “Switch” is created and cannot be resumed."
    said = api.refused(f"{task}/retry", {"fromCheckpoint": True}, 409, "ILLEGAL_TRANSITION")
    assert "cannot be retried while its plan is created" in said["message"], said
    for seen in ("RUNNING", before[0]["revision"] + 7):
        said = api.refused(f"{plan}/start", {"seen": seen}, 409, "CHANGED_SINCE_YOU_LOOKED")
        assert "since you looked" in said["message"], said

    body = {
        "name": "Two mistakes",
        "tenantIds": ["tenant-021", "no-such-tenant", "tenant-022"],
        "executorType": TYPE,
    }
    error = api.refused("/plans", body, 422, "VALIDATION_FAILED")
    assert {(each["tenantId"], each["code"]) for each in error["details"]} == {
        ("tenant-021", "TENANT_CONFLICT"),
        ("no-such-tenant", "TENANT_UNKNOWN"),
    }
    assert all(len(each["message"].split()) > 3 for each in error["details"])
    assert api.get("/plans", search="Two mistakes")["total"] == 0
    assert (api.get(plan), api.get(task)) == before

    cancelled = api.post(f"{plan}/cancel", {"seen": "CREATED"})
    assert cancelled["state"] == "CANCELLED"
    assert_just_now(cancelled["cancelledAt"])
    assert api.get(task)["state"] == "CANCELLED"
    writes = [call for call in sandbox.calls() if call["method"] != "GET"]
    assert writes == []


def _ids(api: Api, created: dict[str, int]) -> list[int]:
    return list(api.tasks(created["planId"]).values())


def assert_events_are_whole(api: Api, plan_id: int) -> None:
    """The events are numbered without a gap, and each says who and when."""
    events = api.get(f"/plans/{plan_id}/events", pageSize=500)["items"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["actor"] for event in events)
    assert {"operator"} < {event["actor"] for event in events}
