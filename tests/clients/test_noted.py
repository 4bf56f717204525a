"""What the effects ledger is told of one outgoing call (X6)."""

from contextlib import suppress
from typing import Any

import pytest

from plans import conf, effects, errors
from plans.clients.http import Call, request
from plans.effects import Ledger
from plans.stores import tenant_config
from tests.clients.conftest import Serve
from tests.clients.raw_server import always, answer

CALL = Call(idempotency_key="12-switch_route-forward-1", fence=7)


def noted(url: str, call: Call | None = None, service: Any = "OB_SERVICE") -> dict[str, Any]:
    """The one entry that asking `url` leaves, whatever comes of it."""
    ledger = Ledger()
    with effects.collecting(ledger), suppress(errors.StageError):
        request(service, "GET", url, call)
    stored = ledger.as_json()
    assert stored is not None
    assert stored["count"] == len(stored["calls"]) == 1
    entry: dict[str, Any] = stored["calls"][0]
    return entry


def test_a_call_is_noted_with_its_key_its_fence_and_its_answer(serve: Serve) -> None:
    server = serve(always(answer("{}", "202 Accepted")))
    entry = noted(f"{server.url}/x", CALL)
    assert entry["ms"] > 0
    assert entry | {"at": "", "ms": 0} == {
        "at": "",
        "service": "OB_SERVICE",
        "method": "GET",
        "address": f"{server.url}/x",
        "key": "12-switch_route-forward-1",
        "fence": 7,
        "status": 202,
        "ms": 0,
    }


def test_an_entry_holds_no_credentials_no_query_and_no_payload(serve: Serve) -> None:
    server = serve(always(answer('{"password": "secret"}', "200 OK", "Set-Cookie: secret=secret")))
    entry = noted(f"http://user:secret@127.0.0.1:{server.port}/x?token=secret#secret")
    assert "secret" not in str(entry)
    assert entry["address"] == f"http://127.0.0.1:{server.port}/x"


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (answer("{}", "500 Oops"), 500, "OB_SERVICE_UNAVAILABLE"),
        (answer("{}", "404 No"), 404, "OB_SERVICE_REJECTED"),
        (answer("no json"), 200, "OB_SERVICE_BAD_ANSWER"),
    ],
)
def test_a_failed_call_is_noted_with_its_code(
    serve: Serve, said: bytes, status: int, code: str
) -> None:
    entry = noted(f"{serve(always(said)).url}/x")
    assert (entry["status"], entry["code"]) == (status, code)


def test_a_call_without_an_answer_has_a_code_and_no_status() -> None:
    entry = noted("http://127.0.0.1:1/x")
    assert entry["code"] == "OB_SERVICE_UNREACHABLE"
    assert "status" not in entry


def test_a_forbidden_address_is_noted_however_it_is_written() -> None:
    entry = noted("ftp://\x00 " + "é" * 1000, service="INSTANCE")
    assert entry["code"] == errors.EndpointForbidden("INSTANCE", url="", method="", cause="").code
    assert "\x00" not in entry["address"]
    assert len(entry["address"]) <= conf.EFFECT_ADDRESS_CHARS


def test_a_refused_write_to_redis_says_what_redis_holds() -> None:
    tenant_config.write("tenant-001", 30, 5, "blue", {"password": "secret"})
    ledger = Ledger()
    with effects.collecting(ledger):
        tenant_config.write("tenant-001", 29, 6, "green", {"password": "secret"})
    stored = ledger.as_json()
    assert stored is not None
    assert stored["calls"][0]["outcome"] == "REFUSED 30"
    assert "secret" not in str(stored)
