"""Gates and the global stop over the API."""

from collections.abc import Callable

import pytest

from plans.models import Stop
from tests.api.checks import codes, done, refused
from tests.api.conftest import Caller
from tests.support.driving import work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

Calling = Callable[[str], Caller]
BODY = {
    "name": "Gated",
    "tenantIds": ["tenant-001", "tenant-002"],
    "executorType": "BLUE_GREEN_SWITCH",
}
WAVES = [{"size": 1, "soakSeconds": 3600, "approval": True}, {"rest": True}]


def at_gate(operator: Caller, waves: object = WAVES) -> str:
    """The address of a plan whose first wave is done."""
    created = done(operator.post("/plans", BODY | {"waves": waves}), 201)
    plan = f"/plans/{created['planId']}"
    done(operator.post(f"{plan}/start"))
    work_off()
    return plan


def test_a_plan_is_created_with_gates_and_shows_them(operator: Caller, sandbox: Sandbox) -> None:
    created = done(operator.post("/plans", BODY | {"waves": WAVES}), 201)
    assert created["waves"] == [
        {"size": 1, "mode": "CONCURRENT", "soakSeconds": 3600, "approval": True},
        {"size": 1, "mode": "CONCURRENT", "soakSeconds": 0, "approval": False},
    ]
    first, last = done(operator.get(f"/plans/{created['planId']}"))["waves"]
    assert (first["soakSeconds"], first["approval"]) == (3600, True)
    assert set(first["gate"].values()) == {None}
    assert last["gate"] is None


@pytest.mark.parametrize("seconds", [-1, 30 * 24 * 3600 + 1])
def test_a_soak_out_of_range_is_refused(operator: Caller, sandbox: Sandbox, seconds: int) -> None:
    waves = [{"size": 1, "soakSeconds": seconds}, {"rest": True}]
    error = refused(operator.post("/plans", BODY | {"waves": waves}), 422)
    assert codes(error) == {"WAVE_SOAK"}


def test_a_gate_at_the_end_is_warned_of(operator: Caller, sandbox: Sandbox) -> None:
    created = done(
        operator.post("/plans", BODY | {"waves": [{"rest": True, "approval": True}]}), 201
    )
    assert [each["code"] for each in created["warnings"]] == ["GATE_AT_THE_END"]
    assert created["waves"][0]["approval"] is False


def test_a_second_person_approves_what_it_saw(
    operator: Caller, calling: Calling, sandbox: Sandbox
) -> None:
    plan = at_gate(operator, [{"size": 1, "approval": True}, {"rest": True}])
    seen = done(operator.get(plan))
    assert seen["waves"][0]["gate"]["closedAt"]
    waits_for = "The gate after wave 1 waits for approval by somebody else than operator."
    assert seen["waitsFor"] == [waits_for]
    refused(operator.post(f"{plan}/approve"), 403, "FORBIDDEN")
    approver = calling("approver")
    body = {"seen": seen["revision"] - 1}
    refused(approver.post(f"{plan}/approve", body), 409, "CHANGED_SINCE_YOU_LOOKED")
    answer = done(approver.post(f"{plan}/approve", {"seen": seen["revision"], "reason": "fine"}))
    assert answer["approvedAt"]
    gate = done(operator.get(plan))["waves"][0]["gate"]
    assert (gate["decision"], gate["decidedBy"], gate["reason"]) == ("approved", "approver", "fine")
    assert gate["openedAt"]
    refused(approver.post(f"{plan}/approve"), 409, "ILLEGAL_TRANSITION")
    work_off()
    assert done(operator.get(plan))["state"] == "COMPLETED"


def test_nobody_approves_an_own_plan(calling: Calling, sandbox: Sandbox) -> None:
    approver = calling("approver")
    plan = at_gate(approver)
    refused(approver.post(f"{plan}/approve"), 403, "FOUR_EYES")
    refused(approver.post(f"{plan}/reject"), 403, "FOUR_EYES")


def test_a_rejection_pauses_the_plan(operator: Caller, calling: Calling, sandbox: Sandbox) -> None:
    plan = at_gate(operator)
    answer = done(calling("approver").post(f"{plan}/reject", {"reason": "slow"}))
    assert (answer["state"], bool(answer["rejectedAt"])) == ("PAUSED", True)
    kinds = [each["kind"] for each in done(operator.get(f"{plan}/events?pageSize=500"))["items"]]
    assert kinds[-2:] == ["gate.rejected", "plan.paused"]


def test_everything_is_stopped_and_lifted(operator: Caller, calling: Calling) -> None:
    viewer = calling("viewer")
    assert done(viewer.get("/stop"))["stopped"] is False
    refused(viewer.post("/stop"), 403)
    stop = done(operator.post("/stop", {"reason": "fire"}))
    assert (stop["stopped"], stop["reason"], stop["stoppedBy"]) == (True, "fire", "operator")
    assert done(viewer.get("/stop")) == stop
    refused(operator.post("/stop"), 409, "ILLEGAL_TRANSITION")
    body = {"seen": stop["stopId"] + 1}
    refused(operator.post("/stop/lift", body), 409, "CHANGED_SINCE_YOU_LOOKED")
    assert done(operator.post("/stop/lift", {"seen": stop["stopId"]}))["stopped"] is False
    refused(operator.post("/stop/lift"), 409, "ILLEGAL_TRANSITION")
    assert Stop.objects.count() == 1
