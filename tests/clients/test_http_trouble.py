"""Servers that hang, drip, break off or are not there: what a call becomes, what is repeated."""

import contextlib
import socket
import threading
import time

import pytest

from plans import conf, errors
from plans.clients.http import Call, request
from plans.clients.transport import transport
from tests.clients.conftest import Serve
from tests.clients.raw_server import Connection, always, answer
from tests.clients.test_http import ask
from tests.clients.test_transport import in_new_thread

# A call without a limit would never end.
LATE_SECONDS = 60.0
MUCH = 24_000_000
"""Bytes of a request: more than the kernels of both sides hold."""


def put_much(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    kernels_seconds: float = 10 * LATE_SECONDS,
) -> None:
    """A call of `seconds` at most, over a connection with which the kernel has its own patience:
    a transport that was made while some test's limit was short would keep that for its thread."""

    def put() -> None:
        monkeypatch.setattr(conf, "HTTP_TIMEOUT_SECONDS", kernels_seconds)
        transport("GATEWAY")
        monkeypatch.setattr(conf, "HTTP_TIMEOUT_SECONDS", seconds)
        request("GATEWAY", "PUT", url, json={"x": "y" * MUCH})

    in_new_thread(put)


def test_what_is_not_http_is_a_bad_answer(serve: Serve) -> None:
    with pytest.raises(errors.ServiceBadAnswer, match="not HTTP"):
        ask(serve(always(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")))


def test_a_server_that_hangs_is_a_timeout(serve: Serve, short_timeout: float) -> None:
    began = time.monotonic()
    with pytest.raises(errors.ServiceTimeout) as raised:
        ask(serve(Connection.wait_until_gone))
    assert short_timeout <= time.monotonic() - began < LATE_SECONDS
    assert (raised.value.code, raised.value.retryable) == ("OB_SERVICE_TIMEOUT", True)
    assert raised.value.kind == errors.FailureKind.TIMEOUT


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_server_that_drips_does_not_outlast_the_total_time(
    serve: Serve, short_timeout: float, beginning: bytes
) -> None:
    def drip(connection: Connection) -> None:
        connection.request()
        connection.send(beginning)
        while True:
            connection.send(b"y")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(errors.ServiceTimeout):
        ask(serve(drip))
    assert time.monotonic() - began < LATE_SECONDS


def test_a_server_that_reads_nothing_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch, short_timeout: float
) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(errors.ServiceTimeout):
        put_much(f"http://127.0.0.1:{deaf.getsockname()[1]}/routes/a", monkeypatch, short_timeout)
    assert short_timeout <= time.monotonic() - began < LATE_SECONDS


def test_what_the_kernel_gives_up_is_a_timeout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/routes/a"
        with pytest.raises(errors.ServiceTimeout):
            put_much(url, monkeypatch, LATE_SECONDS, kernels_seconds=0.5)


def test_a_server_that_reads_a_little_at_a_time_does_not_outlast_the_total_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, short_timeout: float
) -> None:
    given_up = threading.Event()

    def sip(connection: Connection) -> None:
        with contextlib.suppress(OSError):
            while connection.socket.recv(10_000) and not given_up.wait(0.05):
                pass

    began = time.monotonic()
    with pytest.raises(errors.ServiceTimeout):
        put_much(serve(sip).url, monkeypatch, short_timeout)
    given_up.set()
    assert time.monotonic() - began < LATE_SECONDS


def test_a_large_request_arrives_whole_at_a_server_that_is_slow_to_read(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[int] = []

    def sip(connection: Connection) -> None:
        while sum(arrived) < MUCH and (chunk := connection.socket.recv(1_000_000)):
            arrived.append(len(chunk))
            time.sleep(0.01)
        connection.send(answer())

    put_much(serve(sip).url, monkeypatch, 3 * LATE_SECONDS)
    assert len(arrived) > 1


def test_a_peer_that_accepts_no_connection_is_a_timeout(short_timeout: float) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            with pytest.raises(errors.ServiceTimeout):
                request("OB_SERVICE", "GET", f"http://127.0.0.1:{port}/")
        finally:
            for filler in fillers:
                filler.close()


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(errors.ServiceUnreachable, match="Connection refused") as raised:
            request("GATEWAY", "GET", f"http://127.0.0.1:{held.getsockname()[1]}/routes/a")
    assert (raised.value.code, raised.value.retryable) == ("GATEWAY_UNREACHABLE", True)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"])
@pytest.mark.parametrize("ending", [Connection.reset, lambda connection: None])
def test_a_fresh_connection_that_breaks_is_unreachable(
    serve: Serve, sent: bytes, ending: object
) -> None:
    def play(connection: Connection) -> None:
        connection.request()
        connection.send(sent)
        ending(connection)

    server = serve(play)
    with pytest.raises(errors.ServiceUnreachable):
        ask(server)
    assert len(server.requests) == 1


def closes_at_second_request(connection: Connection) -> None:
    """Serves one request, and closes when the next one is already on its way."""
    connection.request()
    connection.send(answer('{"ok": 1}'))
    if connection.number == 1:
        connection.request()
        connection.reset()
    else:
        connection.wait_until_gone()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_stale_connection_is_no_failure_of_a_call_that_may_be_repeated(
    serve: Serve, method: str
) -> None:
    server = serve(closes_at_second_request)
    checks = []
    call = Call("k", 1, before=lambda: checks.append("lease"))
    ask(server)

    assert request("OB_SERVICE", method, server.url, call).body == {"ok": 1}

    assert (server.accepted, len(server.requests)) == (2, 3)
    assert checks == ["lease", "lease"]


def test_a_post_is_not_repeated_over_a_stale_connection(serve: Serve) -> None:
    server = serve(closes_at_second_request)
    ask(server)
    with pytest.raises(errors.ServiceUnreachable):
        request("OB_SERVICE", "POST", server.url)
    assert len(server.requests) == 2


def test_a_call_is_not_repeated_once_its_answer_has_begun(serve: Serve) -> None:
    def play(connection: Connection) -> None:
        connection.request()
        connection.send(answer())
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")

    server = serve(play)
    ask(server)
    with pytest.raises(errors.ServiceUnreachable):
        ask(server)
    assert len(server.requests) == 2


def test_an_idle_connection_that_was_closed_is_replaced(serve: Serve) -> None:
    def one_each(connection: Connection) -> None:
        connection.request()
        connection.send(answer('{"ok": 1}'))

    server = serve(one_each)
    assert [ask(server) for _ in range(3)] == [{"ok": 1}] * 3
