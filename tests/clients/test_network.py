"""The guard over where tenants' endpoints may point."""

import queue
import socket
import threading
import time
from ipaddress import ip_address, ip_network

import pytest

from plans import conf, errors
from plans.clients import network
from plans.clients.http import request
from tests.clients.conftest import Serve
from tests.clients.raw_server import always, answer


def allow(monkeypatch: pytest.MonkeyPatch, *networks: str) -> None:
    monkeypatch.setattr(
        conf, "ALLOWED_ENDPOINT_NETWORKS", tuple(ip_network(each) for each in networks)
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:8080/i/tenant-1/0",
        "https://127.0.0.1:65535",
        "http://[::ffff:127.0.0.1]:80",
        "http://127.0.0.1.:80",
    ],
)
def test_an_address_inside_the_allowed_networks_passes(url: str) -> None:
    assert network.check_endpoint(url) == []
    assert network.address_problem(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("file:///etc/passwd", "must begin with http"),
        ("gopher://127.0.0.1/", "must begin with http"),
        ("127.0.0.1:80", "must begin with http"),
        ("http://", "names no host"),
        ("http://:80/", "names no host"),
        ("http://./", "names no host"),
        ("http://user:pw@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1:0/", "port"),
        ("http://127.0.0.1:65536/", "port"),
        ("http://127.0.0.1:eighty/", "port"),
        ("http://127.0.0.1:-1/", "port"),
        ("http://127.0.0.1/?a=b", "query"),
        ("http://127.0.0.1/#a", "fragment"),
        ("http://127.0.0.1/a b", "blanks"),
        ("http://127.0.0.1\r\nX: y/", "control characters"),
        ("http://127.0.0.1/\0", "control characters"),
        ("http://evil\\@127.0.0.1/", "backslashes"),
        ("http://ｌocalhost/", "ASCII"),
        ("http://[::1/", "cannot be read"),
        ("http://" + "a" * 5000, "longer than 2000"),
        ("http://2130706433/", "four decimal numbers"),
        ("http://0x7f000001/", "four decimal numbers"),
        ("http://0177.0.0.1/", "four decimal numbers"),
        ("http://127.1/", "four decimal numbers"),
        ("http://0xA9FEA9FE./", "four decimal numbers"),
        ("http://169.254.169.254/latest/meta-data", "outside the allowed networks"),
        ("http://169.254.169.254./", "outside the allowed networks"),
        ("http://[::ffff:169.254.169.254]/", "outside the allowed networks"),
        ("http://[::ffff:a9fe:a9fe]/", "outside the allowed networks"),
        ("http://[::1]/", "outside the allowed networks"),
        ("http://0.0.0.0/", "outside the allowed networks"),
        ("http://10.0.0.1/", "outside the allowed networks"),
        ("http://no-such-host.invalid/", "cannot be resolved"),
        ("http://" + "a" * 70 + ".example/", "cannot be resolved"),
    ],
)
def test_an_address_that_may_not_be_called_says_why(url: str, why: str) -> None:
    problem = network.address_problem(url)
    assert problem is not None
    assert why in problem.english


def test_all_problems_are_told_at_once() -> None:
    problems = network.check_endpoint("ftp://user@127.0.0.1:0/?q")
    assert len(problems) == 4


def test_nothing_is_allowed_where_no_network_is(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch)
    assert network.check_endpoint("http://127.0.0.1/") != []


def test_the_whole_internet_does_not_include_link_local_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, "0.0.0.0/0", "::/0")
    assert network.is_allowed(ip_address("203.0.113.9"))
    assert not network.is_allowed(ip_address("169.254.169.254"))
    assert not network.is_allowed(ip_address("::ffff:169.254.169.254"))
    assert not network.is_allowed(ip_address("fe80::1"))
    allow(monkeypatch, "169.254.7.0/24")
    assert network.is_allowed(ip_address("169.254.7.1"))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to each answer in turn (the last one for ever); returns who asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: object, *args: object, **kwargs: object) -> list:
        if network.literal(host) is not None:
            return real(host, port, *args, **kwargs)
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_passes_only_when_all_its_addresses_do(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.1", "169.254.169.254"])
    problem = network.address_problem("http://two-faced.example/")
    assert problem is not None
    assert "169.254.169.254" in problem.english


def test_a_call_connects_to_the_very_address_that_was_checked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(always(answer('{"ok": 1}')))
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])

    body, _ = request("INSTANCE", "GET", f"http://rebinding.example.:{server.port}/health")

    assert body == {"ok": 1}
    assert asked == ["rebinding.example"]
    assert f"Host: rebinding.example.:{server.port}".encode() in server.requests[0]


def test_the_next_address_is_tried_when_one_refuses(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(always(answer('{"ok": 1}')))
    resolve_to(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    assert request("NOTIFY", "POST", f"http://several.example:{server.port}/").body == {"ok": 1}


@pytest.mark.parametrize("service", ["INSTANCE", "NOTIFY"])
def test_a_call_to_a_forbidden_address_is_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    server = serve(always(answer()))
    allow(monkeypatch, "10.0.0.0/8")
    with pytest.raises(errors.EndpointForbidden, match="outside the allowed networks") as raised:
        request(service, "GET", f"{server.url}/health")
    assert raised.value.code == f"{service}_REJECTED"
    assert server.accepted == 0


def test_services_that_the_operator_configured_are_not_guarded(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(always(answer('{"ok": 1}')))
    allow(monkeypatch, "10.0.0.0/8")
    assert request("GATEWAY", "GET", server.url).body == {"ok": 1}


def test_a_resolver_that_hangs_does_not_outlast_the_call(
    monkeypatch: pytest.MonkeyPatch, short_timeout: float
) -> None:
    over = threading.Event()
    done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def hang(*_: object, **__: object) -> list:
        over.wait(120)
        done.put(None)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    try:
        with pytest.raises(errors.ServiceTimeout):
            request("INSTANCE", "GET", "http://slow.example/health")
        assert time.monotonic() - began < 60
    finally:
        over.set()
        done.get(timeout=60)
