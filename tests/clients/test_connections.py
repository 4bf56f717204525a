"""Connections that are kept open: how many, for whom, and for how long."""

import ssl

import pytest

from plans import conf
from plans.clients.connections import Connections
from plans.clients.http import Caller
from plans.clients.streams import DeadlineBackend
from tests.clients.conftest import Serve
from tests.clients.raw_server import always, answer


def caller_with(idle_max: int) -> Caller:
    backend = DeadlineBackend(guarded=False)
    return Caller(
        "GATEWAY", Connections(backend, ssl.create_default_context(), idle_max), guarded=False
    )


def test_each_origin_keeps_its_connection(serve: Serve) -> None:
    servers = [serve(always(answer())) for _ in range(3)]
    caller = caller_with(idle_max=3)
    for _ in range(4):
        for server in servers:
            caller.request("GET", server.url)
    assert [server.accepted for server in servers] == [1, 1, 1]


def test_the_connection_that_was_idle_longest_makes_room(serve: Serve) -> None:
    first, second, third = (serve(always(answer())) for _ in range(3))
    caller = caller_with(idle_max=2)
    for server in (first, second, third, third, second, first):
        caller.request("GET", server.url)
    assert (first.accepted, second.accepted, third.accepted) == (2, 1, 1)


def test_a_connection_is_not_used_after_its_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "HTTP_KEEP_ALIVE_SECONDS", -1.0)
    server = serve(always(answer()))
    caller = caller_with(idle_max=3)
    for _ in range(3):
        caller.request("GET", server.url)
    assert server.accepted == 3
