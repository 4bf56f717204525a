"""Every fault does on the wire what its name says; the record tells whether it had an effect."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.sandbox import Call, Sandbox, calls_of
from tests.support.waiting import wait_until

STEP = "gateway.put_route"
IMPATIENT = httpx.Timeout(60, read=0.3)
"""Gives up waiting for an answer soon, and nothing else."""


def put_green(http: httpx.Client, tenant: str = "tenant-001", **more: Any) -> httpx.Response:
    return http.put(f"/gateway/routes/{tenant}", json={"color": "green"}, **more)


def only_call(sandbox: Sandbox) -> Call:
    (call,) = calls_of(sandbox.calls(), step=STEP)
    return call


def ended_call(sandbox: Sandbox) -> Call:
    """The one call, once it is over: a caller that gave up may come before it in the record."""
    wait_until(lambda: [c for c in calls_of(sandbox.calls(), step=STEP) if c["ended"]])
    return only_call(sandbox)


@contextmanager
def delayed_put(sandbox: Sandbox, seconds: float) -> Iterator[None]:
    """Meanwhile a PUT is read and waits to take effect; its caller gives up at the end."""
    sandbox.add_fault("tenant-001", STEP, "latency", seconds=seconds)
    with raw_put(sandbox):
        wait_until(lambda: [c for c in calls_of(sandbox.calls(), step=STEP) if c["body"]])
        yield


def raw_put(sandbox: Sandbox) -> socket.socket:
    """A PUT of green for tenant-001 on a bare socket; the caller reads what comes."""
    place = urlsplit(sandbox.url)
    assert place.hostname is not None
    connection = socket.create_connection((place.hostname, place.port or 80), timeout=60)
    connection.sendall(
        b"PUT /gateway/routes/tenant-001 HTTP/1.1\r\nHost: sandbox\r\n"
        b'Content-Length: 18\r\n\r\n{"color": "green"}'
    )
    return connection


def test_status_refuses_with_code_and_retry_after_and_without_effect(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.add_fault("tenant-001", STEP, "status", code=429, retry_after="2")
    answer = put_green(http)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert sandbox.route("tenant-001") == "blue"
    call = only_call(sandbox)
    assert (call["status"], call["applied"], call["fault"]) == (429, False, "status")


def test_latency_answers_late_and_right(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("tenant-001", STEP, "latency", seconds=0.2)
    assert put_green(http).json()["color"] == "green"
    call = only_call(sandbox)
    assert call["ended"] - call["started"] >= 0.2
    assert call["applied"]


def test_a_late_write_has_its_effect_though_the_caller_gave_up(
    sandbox: Sandbox,
) -> None:
    with delayed_put(sandbox, 0.6):
        route, call = sandbox.route("tenant-001"), only_call(sandbox)
        # It may be over by now: then nothing is known of when it took effect.
        assert route == "blue" or call["ended"]
    wait_until(lambda: sandbox.route("tenant-001") == "green")
    call = ended_call(sandbox)
    assert call["ended"] - call["started"] >= 0.6
    assert call["applied"]


def test_a_late_write_never_reaches_the_tenants_of_a_later_reset(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    with delayed_put(sandbox, 0.4):
        sandbox.reset()
        sandbox.add_fault("*", "gateway.get_route", "latency", seconds=0.6)
        assert http.get("/gateway/routes/tenant-001").json()["color"] == "blue"


def test_latency_comes_on_top_of_another_fault(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("*", STEP, "latency", seconds=0.2)
    sandbox.add_fault("tenant-001", STEP, "status", code=500)
    assert put_green(http).status_code == 500
    call = only_call(sandbox)
    assert call["ended"] - call["started"] >= 0.2


def test_hang_never_answers_and_has_no_effect(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("tenant-001", STEP, "hang")
    with pytest.raises(httpx.ReadTimeout):
        put_green(http, timeout=IMPATIENT)
    call = ended_call(sandbox)
    assert (call["status"], call["applied"]) == (None, False)


def test_hang_after_headers_sends_headers_and_no_body(sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", STEP, "hang_after_headers")
    with raw_put(sandbox) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(4096)
    assert sandbox.route("tenant-001") == "green"


def test_drop_closes_the_connection_without_effect(sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", STEP, "drop")
    with raw_put(sandbox) as connection:
        assert connection.recv(4096) == b""
    assert sandbox.route("tenant-001") == "blue"
    call = only_call(sandbox)
    assert (call["status"], call["applied"]) == (None, False)


def test_drop_after_apply_resets_the_connection_after_the_effect(sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", STEP, "drop_after_apply")
    with raw_put(sandbox) as connection, pytest.raises(ConnectionResetError):
        connection.recv(4096)
    assert sandbox.route("tenant-001") == "green"
    call = only_call(sandbox)
    assert (call["status"], call["applied"]) == (None, True)


def test_garbage_is_200_and_not_json(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("tenant-001", "ob.get_tenant", "garbage")
    answer = http.get("/ob/tenants/tenant-001")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_huge_is_more_than_a_mebibyte_of_json(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("*", "ob.list", "huge")
    answer = http.get("/ob/tenants")
    assert len(answer.content) > 1024 * 1024
    assert answer.json()["filler"]


@pytest.mark.parametrize(
    ("step", "path", "field"),
    [
        ("ob.get_tenant", "/ob/tenants/tenant-001", "status"),
        ("ob.list", "/ob/tenants", "items"),
        ("gateway.get_route", "/gateway/routes/tenant-001", "color"),
        ("instance.health", "/i/tenant-001/1/health", "version"),
        ("instance.config", "/i/tenant-001/1/config", "version"),
    ],
)
def test_missing_field_takes_away_what_callers_need(
    sandbox: Sandbox, http: httpx.Client, step: str, path: str, field: str
) -> None:
    whole = http.get(path).json()
    sandbox.add_fault("*", step, "missing_field")
    del whole[field]
    assert http.get(path).json() == whole


def test_missing_field_takes_away_the_one_that_is_named(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.add_fault("tenant-001", "ob.get_tenant", "missing_field", field="endpoints")
    assert "endpoints" not in http.get("/ob/tenants/tenant-001").json()


def test_one_instance_is_unhealthy_and_another_reports_a_wrong_version(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.add_fault("tenant-001", "instance.health", "unhealthy", instance=1)
    sandbox.add_fault("tenant-001", "instance.health", "wrong_version", instance=2, version="7")
    answers = [http.get(f"/i/tenant-001/{n}/health").json() for n in (1, 2, 3)]
    assert answers == [
        {"status": "DOWN", "version": "19"},
        {"status": "UP", "version": "7"},
        {"status": "UP", "version": "19"},
    ]


def test_a_fault_hits_its_tenant_and_step_alone_and_only_so_often(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.add_fault("tenant-001", STEP, "status", times=2)
    assert put_green(http, "tenant-002").status_code == 200
    assert http.get("/gateway/routes/tenant-001").status_code == 200
    assert [put_green(http).status_code for _ in range(3)] == [503, 503, 200]
    assert sandbox.faults() == []


def test_a_fault_without_times_lasts_until_it_is_removed(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    fault = sandbox.add_fault("*", STEP, "status")
    assert [put_green(http).status_code for _ in range(3)] == [503] * 3
    assert [(each["id"], each["hits"]) for each in sandbox.faults()] == [(fault, 3)]
    sandbox.remove_fault(fault)
    assert put_green(http).status_code == 200


def test_a_tenants_own_fault_comes_before_one_of_all(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("*", STEP, "status", code=500)
    sandbox.add_fault("tenant-001", STEP, "status", code=504)
    assert put_green(http).status_code == 504
    assert put_green(http, "tenant-002").status_code == 500


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"tenant": "*", "step": "gateway", "kind": "drop"},
        {"tenant": "*", "step": ["ob.list"], "kind": "drop"},
        {"tenant": "*", "step": "ob.list", "kind": "explode"},
        {"tenant": "*", "step": "ob.list", "kind": "unhealthy"},
        {"tenant": "*", "step": "instance.apply", "kind": "status"},
        {"tenant": "", "step": "ob.list", "kind": "drop"},
        {"tenant": "*", "step": "ob.list", "kind": "drop", "times": 0},
        {"tenant": "*", "step": "ob.list", "kind": "drop", "times": True},
        {"tenant": "*", "step": "ob.list", "kind": "latency", "seconds": "long"},
        {"tenant": "*", "step": "ob.list", "kind": "status", "code": 99},
        {"tenant": "*", "step": "ob.list", "kind": "status", "retry_after": "1\r\nx: y"},
        {"tenant": "*", "step": "ob.list", "kind": "drop", "colour": "red"},
    ],
)
def test_an_unusable_fault_is_refused_and_not_kept(
    sandbox: Sandbox, http: httpx.Client, fault: dict[str, Any]
) -> None:
    answer = http.post("/control/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.faults() == []
