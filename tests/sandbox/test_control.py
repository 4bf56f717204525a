"""Fences, the record of calls, and the control endpoints."""

import time

import httpx
import pytest

from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

NAGLE_SECONDS = 0.04


def put_route(http: httpx.Client, color: str, fence: int | str | None = None) -> int:
    headers = {} if fence is None else {"Bluegreen-Fence": str(fence)}
    answer = http.put("/gateway/routes/tenant-001", json={"color": color}, headers=headers)
    return answer.status_code


def test_answers_do_not_wait_for_the_callers_acknowledgement(http: httpx.Client) -> None:
    def is_answered_at_once() -> bool:
        begin = time.monotonic()
        http.get("/gateway/routes/tenant-001")
        return time.monotonic() - begin < NAGLE_SECONDS

    # Nagle's delay would cost every answer so much, but for the first few of a connection; on a
    # busy machine many take longer anyway.
    for _ in range(20):
        is_answered_at_once()
    wait_until(is_answered_at_once)


def test_an_older_fence_is_let_through_unless_fences_are_enforced(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    assert [put_route(http, "green", 5), put_route(http, "blue", 4)] == [200, 200]
    sandbox.enforce_fences()
    assert put_route(http, "green", 4) == 409
    assert sandbox.route("tenant-001") == "blue"
    assert sandbox.state()["fences"] == {"enforced": True, "refused": 1}
    assert [put_route(http, "green", 5), put_route(http, "blue", 6)] == [200, 200]


def test_a_fence_holds_over_both_services_and_for_one_tenant(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.enforce_fences()
    assert put_route(http, "green", 5) == 200
    late = {"Bluegreen-Fence": "4"}
    status = {"status": "GREEN"}
    assert http.put("/ob/tenants/tenant-001/status", json=status, headers=late).status_code == 409
    assert http.put("/ob/tenants/tenant-002/status", json=status, headers=late).status_code == 200
    assert put_route(http, "blue") == 200


def test_a_call_is_recorded_with_its_headers_times_and_effect(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    before = time.monotonic()
    http.put(
        "/gateway/routes/tenant-001",
        json={"color": "green"},
        headers={"Idempotency-Key": "7-route-forward-1", "Bluegreen-Fence": "3"},
    )
    after = time.monotonic()
    (call,) = sandbox.calls()
    assert before <= call["started"] <= call["ended"] <= after
    assert abs(call["startedAt"] - time.time()) < 60
    for name in ("n", "started", "ended", "startedAt", "endedAt"):
        del call[name]
    assert call == {
        "step": "gateway.put_route",
        "method": "PUT",
        "path": "/gateway/routes/tenant-001",
        "tenant": "tenant-001",
        "instance": None,
        "body": {"color": "green"},
        "status": 200,
        "fence": 3,
        "idempotencyKey": "7-route-forward-1",
        "applied": True,
        "fault": None,
    }


def test_the_record_is_read_on_from_a_call_and_by_tenant_and_past_a_page(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    for number in range(2_100):
        http.get(f"/gateway/routes/tenant-{number % 2 + 1:03}")
    calls = sandbox.calls()
    numbers = [call["n"] for call in calls]
    assert numbers == list(range(numbers[0], numbers[0] + 2_100))
    assert sandbox.last_call() == numbers[-1]
    assert sandbox.calls(after=numbers[-3]) == calls[-2:]
    assert sandbox.calls(tenant="tenant-002") == calls[1::2]
    assert sandbox.calls(after=numbers[-1]) == []


def test_a_reset_makes_all_new_and_numbers_calls_on(sandbox: Sandbox, http: httpx.Client) -> None:
    put_route(http, "green", 9)
    sandbox.add_fault("*", "ob.list", "drop")
    sandbox.enforce_fences()
    last = sandbox.last_call()
    sandbox.reset(tenants=2, instances=1, start="green")
    state = sandbox.state()
    assert (state["faults"], state["fences"]["enforced"], sandbox.calls()) == (0, False, [])
    assert list(state["tenants"]) == ["tenant-001", "tenant-002"]
    tenant = state["tenants"]["tenant-001"]
    assert (tenant["status"], tenant["route"], tenant["fence"]) == ("GREEN", "green", None)
    assert tenant["instances"] == [{"version": "19", "color": "green", "notified": None}]
    put_route(http, "blue")
    assert [call["n"] for call in sandbox.calls()] == [last + 1]


def test_one_tenant_can_be_made_or_changed_behind_everybodys_back(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.change_tenant("odd one", name="<b>Odd</b>", endpoints=["http://169.254.169.254/"])
    odd = http.get("/ob/tenants/odd%20one").json()
    assert (odd["name"], odd["endpoints"]) == ("<b>Odd</b>", ["http://169.254.169.254/"])
    sandbox.change_tenant("tenant-001", route="green", configVersion=40)
    assert (sandbox.route("tenant-001"), sandbox.status("tenant-001")) == ("green", "BLUE")
    assert http.get("/ob/tenants/tenant-001").json()["configVersion"] == "40"
    assert sandbox.calls(tenant="tenant-001")[0]["method"] == "GET"


def test_tenants_can_be_replaced_while_faults_and_record_stay(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.add_fault("*", "ob.list", "drop")
    http.get("/gateway/routes/tenant-001")
    answer = http.post("/control/tenants", json={"count": 5, "start": "green", "instances": 2})
    assert answer.json() == {"tenants": 5}
    assert (len(sandbox.calls()), len(sandbox.faults())) == (1, 1)
    assert sandbox.status("tenant-005") == "GREEN"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/control/reset", b"[]", 400),
        ("POST", "/control/reset", b"[" * 100_000, 400),
        ("POST", "/control/reset", b'{"tenants": -1}', 400),
        ("POST", "/control/reset", b'{"start": "red"}', 400),
        ("POST", "/control/tenants", b'{"count": "many"}', 400),
        ("POST", "/control/fences", b"{}", 400),
        ("PUT", "/control/tenants/x", b'{"endpoints": "http://"}', 400),
        ("GET", "/control/calls?after=first", b"", 400),
        ("GET", "/control/state?tenant=nobody", b"", 404),
        ("DELETE", "/control/faults/999999", b"", 404),
        ("DELETE", "/control/faults/one", b"", 400),
        ("GET", "/control/nothing", b"", 404),
    ],
)
def test_an_unusable_control_request_is_refused_with_a_reason(
    http: httpx.Client, method: str, path: str, body: bytes, status: int
) -> None:
    answer = http.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_page_of_another_site_may_not_change_the_sandbox(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    foreign = {"Origin": "http://elsewhere.example"}
    assert http.post("/control/reset", headers=foreign).status_code == 403
    own = {"Origin": sandbox.url}
    assert http.post("/control/reset", headers=own).status_code == 200
