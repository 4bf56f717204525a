"""The OB service, the gateway and the instances: what is read, and which answers are refused."""

import json
import threading
from typing import Any

import pytest

from plans import conf, errors
from plans.ack import Question
from plans.clients import gateway, instances, ob_service, services
from plans.clients.http import Call
from plans.clients.ob_service import TenantRecord
from tests.clients.conftest import Serve
from tests.clients.raw_server import Connection, RawServer, always, answer
from tests.support.waiting import WAIT_SECONDS

CALL = Call("1-x-forward-1", 3)
GOOD: dict[str, Any] = {
    "tenantId": "t-1",
    "name": "Tenant one",
    "status": "GREEN",
    "configVersion": "19",
    "endpoints": ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"],
}
RECORD = TenantRecord("t-1", "Tenant one", "green", 19, tuple(GOOD["endpoints"]))


@pytest.fixture
def outside(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> "Outside":
    return Outside(serve, monkeypatch)


class Outside:
    """Lets every service answer the same, or each request its own answer in turn."""

    def __init__(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        self._serve = serve
        self._monkeypatch = monkeypatch

    def says(self, *bodies: object, status: str = "200 OK") -> RawServer:
        left = [answer(json.dumps(body), status) for body in bodies]

        def play(connection: Connection) -> None:
            while connection.request():
                connection.send(left.pop(0) if len(left) > 1 else left[0])

        server = self._serve(play)
        self._monkeypatch.setattr(conf, "OB_SERVICE_URL", f"{server.url}/ob")
        self._monkeypatch.setattr(conf, "GATEWAY_URL", f"{server.url}/gw")
        return server


def sent_json(request: bytes) -> object:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def test_a_tenant_is_read(outside: Outside) -> None:
    server = outside.says(GOOD)
    assert ob_service.get_tenant("t-1", CALL) == RECORD
    assert server.requests[0].startswith(b"GET /ob/tenants/t-1 HTTP/1.1\r\n")


def test_a_tenant_id_is_quoted_in_the_path(outside: Outside) -> None:
    server = outside.says({**GOOD, "tenantId": "a/../b c?d"})
    ob_service.get_tenant("a/../b c?d")
    assert server.requests[0].startswith(b"GET /ob/tenants/a%2F..%2Fb%20c%3Fd HTTP/1.1\r\n")


def test_an_unknown_tenant_is_told_apart(outside: Outside) -> None:
    outside.says({"detail": "no"}, status="404 Not Found")
    with pytest.raises(errors.TenantUnknown) as raised:
        ob_service.get_tenant("t-9")
    assert (raised.value.code, raised.value.retryable) == ("OB_SERVICE_REJECTED", False)
    assert "t-9" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"tenantId": None}, "another tenant"),
        ({"tenantId": "t-2"}, "another tenant"),
        ({"name": 5}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"status": "RED"}, "status is neither blue nor green"),
        ({"status": None}, "status"),
        ({"configVersion": "v19"}, "configVersion"),
        ({"configVersion": "-1"}, "configVersion"),
        ({"configVersion": ""}, "configVersion"),
        ({"configVersion": 1.5}, "configVersion"),
        ({"configVersion": True}, "configVersion"),
        ({"configVersion": "٣"}, "configVersion"),
        ({"configVersion": "9" * 5000}, "configVersion is larger"),
        ({"configVersion": str(2**63)}, "configVersion is larger"),
        ({"endpoints": "http://a"}, "endpoints"),
        ({"endpoints": [1]}, "endpoints"),
        ({"endpoints": None}, "endpoints"),
        ({"endpoints": ["http://a"] * 1001}, "more than 1000"),
        ({"endpoints": ["http://a/\0"]}, "endpoints"),
    ],
)
def test_a_tenant_that_cannot_be_understood_is_a_bad_answer(
    outside: Outside, change: dict[str, Any], cause: str
) -> None:
    outside.says({**GOOD, **change})
    with pytest.raises(errors.ServiceBadAnswer, match=cause) as raised:
        ob_service.get_tenant("t-1")
    assert raised.value.code == "OB_SERVICE_BAD_ANSWER"


@pytest.mark.parametrize(("given", "read"), [("0019", 19), (19, 19), (str(2**63 - 1), 2**63 - 1)])
def test_a_version_may_be_a_number_or_its_digits(
    outside: Outside, given: object, read: int
) -> None:
    outside.says({**GOOD, "configVersion": given})
    assert ob_service.get_tenant("t-1").config_version == read


def test_a_tenant_without_a_name_is_called_by_its_id(outside: Outside) -> None:
    outside.says({key: value for key, value in GOOD.items() if key != "name"})
    assert ob_service.get_tenant("t-1").name == "t-1"


def test_all_tenants_are_read_page_by_page(outside: Outside) -> None:
    second = {**GOOD, "tenantId": "t&2"}
    server = outside.says(
        {"items": [GOOD], "next": "t-1"},
        {"items": [second], "next": "t&2"},
        {"items": [], "next": None},
    )
    pages = [[record.tenant_id for record in page] for page in ob_service.tenant_pages()]
    assert pages == [["t-1"], ["t&2"], []]
    assert [request.split(b" ")[1] for request in server.requests] == [
        b"/ob/tenants?limit=1000",
        b"/ob/tenants?limit=1000&after=t-1",
        b"/ob/tenants?limit=1000&after=t%262",
    ]


@pytest.mark.parametrize("status", ["404 Not Found", "501 Not Implemented"])
def test_a_service_without_a_list_has_no_page(outside: Outside, status: str) -> None:
    outside.says({}, status=status)
    assert list(ob_service.tenant_pages()) == []


def test_a_list_that_fails_is_an_error(outside: Outside) -> None:
    outside.says({}, status="500 Oops")
    with pytest.raises(errors.ServiceUnavailable):
        list(ob_service.tenant_pages())


def test_one_unreadable_tenant_does_not_hide_the_others(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    outside.says({"items": [{**GOOD, "configVersion": "x"}, GOOD], "next": None})
    assert ob_service.list_tenants() == ([RECORD], None)
    assert "configVersion" in caplog.text


@pytest.mark.parametrize("body", [{}, {"items": {}}, {"items": [1]}, {"items": [], "next": 5}])
def test_a_list_of_another_shape_is_a_bad_answer(outside: Outside, body: dict[str, Any]) -> None:
    outside.says(body)
    with pytest.raises(errors.ServiceBadAnswer):
        list(ob_service.tenant_pages())


def test_pages_in_a_circle_come_to_an_end(outside: Outside) -> None:
    outside.says({"items": [], "next": "a"}, {"items": [], "next": "b"}, {"items": [], "next": "a"})
    with pytest.raises(errors.ServiceBadAnswer, match="circle"):
        list(ob_service.tenant_pages())


def test_a_status_is_written_in_upper_case(outside: Outside) -> None:
    server = outside.says({})
    ob_service.put_status("t-1", "blue", CALL)
    assert server.requests[0].startswith(b"PUT /ob/tenants/t-1/status HTTP/1.1\r\n")
    assert sent_json(server.requests[0]) == {"status": "BLUE"}
    assert b"Bluegreen-Fence: 3" in server.requests[0]


def test_a_route_is_read_and_written(outside: Outside) -> None:
    server = outside.says({"tenantId": "t-1", "color": "blue"})
    assert gateway.get_route("t-1") == "blue"
    assert gateway.put_route("t-1", "blue", CALL) == "blue"
    assert server.requests[1].startswith(b"PUT /gw/routes/t-1 HTTP/1.1\r\n")
    assert sent_json(server.requests[1]) == {"color": "blue"}


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"tenantId": "t-1", "color": "green"}, "color is green, not blue"),
        ({"tenantId": "t-2", "color": "blue"}, "another tenant"),
        ({"tenantId": "t-1", "color": "red"}, "neither blue nor green"),
        ({"tenantId": "t-1"}, "color is missing"),
    ],
)
def test_a_route_that_was_not_switched_as_asked_is_a_bad_answer(
    outside: Outside, body: dict[str, Any], cause: str
) -> None:
    outside.says(body)
    with pytest.raises(errors.ServiceBadAnswer, match=cause) as raised:
        gateway.put_route("t-1", "blue", CALL)
    assert raised.value.code == "GATEWAY_BAD_ANSWER"


def test_an_instance_is_asked_and_told(outside: Outside) -> None:
    server = outside.says({"status": "UP", "version": 20})
    endpoint = f"{server.url}/i/1"
    assert instances.health(endpoint) == instances.InstanceHealth("UP", "20")
    assert Question().ask(endpoint, CALL) == "20"
    assert services.notify(endpoint, "t-1", 20, "blue", CALL) == {"status": "UP", "version": 20}
    assert [request.split(b" HTTP")[0] for request in server.requests] == [
        b"GET /i/1/health",
        b"GET /i/1/config",
        b"POST /i/1/notify",
    ]
    sent = json.loads(server.requests[2].partition(b"\r\n\r\n")[2])
    assert sent == {"tenantId": "t-1", "version": "20", "color": "blue"}


def test_an_address_is_made_by_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    assert instances.instance_url("http://a:1/x/") == "http://a:1/x"
    monkeypatch.setattr(conf, "INSTANCE_URL_TEMPLATE", "http://mesh/{endpoint}/admin")
    assert instances.instance_url("pod-{0.x}") == "http://mesh/pod-{0.x}/admin"


def test_many_instances_are_asked_at_once(serve: Serve) -> None:
    together = threading.Barrier(8, timeout=60)

    def play(connection: Connection) -> None:
        connection.request()
        together.wait()
        connection.send(answer('{"version": "20"}'))

    server = serve(play)
    endpoints = [f"{server.url}/{number}" for number in range(8)]
    answers = instances.ask_all(endpoints, Question().ask)
    assert answers == dict.fromkeys(endpoints, "20")


def test_one_silent_instance_costs_one_timeout_and_hides_no_other(serve: Serve) -> None:
    silent = serve(Connection.wait_until_gone)
    well = serve(always(answer('{"version": "20"}')))
    endpoints = [silent.url, well.url, f"{silent.url}/2", f"{well.url}/2"]

    def ask(endpoint: str) -> str:
        is_silent = endpoint.startswith(silent.url)
        return Question(timeout_seconds=1.0 if is_silent else WAIT_SECONDS).ask(endpoint)

    answers = instances.ask_all(endpoints, ask, WAIT_SECONDS)

    assert list(answers) == endpoints
    assert answers[well.url] == answers[f"{well.url}/2"] == "20"
    assert isinstance(answers[silent.url], errors.ServiceTimeout)
    assert isinstance(answers[f"{silent.url}/2"], errors.ServiceTimeout)


def test_a_repeated_endpoint_is_asked_once_and_none_not_at_all() -> None:
    asked: list[str] = []
    assert instances.ask_all([], asked.append) == {}
    instances.ask_all(["a", "a"], asked.append)
    assert asked == ["a"]


def test_a_lost_lease_stops_the_whole_question() -> None:
    def ask(endpoint: str) -> str:
        if endpoint == "http://b":
            raise errors.Superseded
        return "20"

    with pytest.raises(errors.Superseded):
        instances.ask_all(["http://a", "http://b", "http://c"], ask)


def test_an_answer_to_a_notice_may_be_empty_but_not_about_another_tenant(outside: Outside) -> None:
    server = outside.says({})
    assert services.notify(f"{server.url}/", "t-1", 20, "blue", CALL) == {}
    server = outside.says({"tenantId": "t-2"})
    with pytest.raises(errors.ServiceBadAnswer, match="another tenant") as raised:
        services.notify(server.url, "t-1", 20, "blue", CALL)
    assert raised.value.code == "NOTIFY_BAD_ANSWER"
