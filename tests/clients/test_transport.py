"""The transports that send: whose connections they use, how many stay open, and for how long."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpcore
import httpx
import pytest

from plans import conf
from plans.clients.http import request
from plans.clients.streams import DeadlineBackend
from plans.clients.transport import Transport, transport
from tests.clients.conftest import Serve
from tests.clients.raw_server import Connection, RawServer, always, answer

Result = TypeVar("Result")


def in_new_thread(work: Callable[[], Result]) -> Result:
    """Run `work` where no transport has been made yet."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def ask_in_turn(servers: Iterable[RawServer]) -> None:
    for server in servers:
        request("GATEWAY", "GET", server.url)


class Nowhere(DeadlineBackend):
    """Connects to nothing."""

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("nowhere")


def test_the_library_opens_no_connection_past_our_backend(serve: Serve) -> None:
    server = serve(always(answer()))
    with (
        httpx.Client(transport=Transport(Nowhere(guarded=True)), trust_env=False) as sender,
        pytest.raises(httpx.ConnectError, match="nowhere"),
    ):
        sender.get(server.url)
    assert server.accepted == 0


def test_a_proxy_of_the_environment_is_not_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(always(answer())), serve(always(answer()))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    in_new_thread(lambda: ask_in_turn([server]))
    assert (proxy.accepted, server.accepted) == (0, 1)


def test_each_thread_has_one_transport_of_each_kind() -> None:
    assert transport("GATEWAY") is transport("GATEWAY")
    assert transport("GATEWAY") is not transport("OB_SERVICE")
    assert transport("NOTIFY") is transport("INSTANCE")
    assert in_new_thread(lambda: transport("GATEWAY")) is not transport("GATEWAY")


def test_connections_end_with_their_thread(serve: Serve) -> None:
    gone = threading.Event()

    def play(connection: Connection) -> None:
        connection.request()
        connection.send(answer())
        connection.wait_until_gone()
        gone.set()

    server = serve(play)
    in_new_thread(lambda: ask_in_turn([server]))
    assert gone.wait(60)


def test_each_origin_keeps_its_connection(serve: Serve) -> None:
    servers = [serve(always(answer())) for _ in range(3)]
    in_new_thread(lambda: ask_in_turn(servers * 4))
    assert [server.accepted for server in servers] == [1, 1, 1]


def test_the_oldest_idle_connection_makes_room(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "HTTP_IDLE_CONNECTIONS", 2)
    first, second, third = (serve(always(answer())) for _ in range(3))
    in_new_thread(lambda: ask_in_turn([first, second, third, third, second, first]))
    assert (first.accepted, second.accepted, third.accepted) == (2, 1, 1)


def test_a_connection_is_not_used_after_its_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "HTTP_KEEP_ALIVE_SECONDS", -1.0)
    server = serve(always(answer()))
    in_new_thread(lambda: ask_in_turn([server] * 3))
    assert server.accepted == 3
