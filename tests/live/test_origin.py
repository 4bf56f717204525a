"""Which pages may open a socket."""

import asyncio

import pytest
from asgiref.typing import WebSocketScope
from channels.testing import WebsocketCommunicator
from django.test import override_settings

from plans.live.origin import OwnOrigin, is_own

TRUSTED = ["https://desk.example:8443", "https://*.fleet.example"]


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "http"),
        ("http://[::1]:8000", "[::1]:8000", "http"),
        ("http://localhost", "localhost", "http"),
        ("http://localhost:80", "localhost", "http"),
        ("http://LOCALHOST", "localhost", "http"),
        ("https://localhost", "localhost", "https"),
        ("https://localhost", "localhost:443", "https"),
        ("https://localhost:8443", "localhost:8443", "https"),
        ("https://desk.example:8443", "localhost:8000", "http"),
        ("https://eu.fleet.example", "localhost", "http"),
        ("https://fleet.example", "localhost", "https"),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=TRUSTED)
def test_a_page_from_where_it_asks_or_that_is_trusted_is_own(
    origin: str, host: str, scheme: str
) -> None:
    assert is_own(origin, host, scheme)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://localhost:9000", "localhost:8000", "http"),
        ("http://localhost:8000", "localhost", "http"),
        ("http://localhost", "localhost:443", "http"),
        ("https://localhost", "localhost", "http"),
        ("https://localhost:8000", "localhost:8000", "http"),
        ("http://localhost", "localhost", "https"),
        ("http://user@localhost:8000", "localhost:8000", "http"),
        ("http://localhost:8000/", "localhost:8000", "http"),
        ("http://localhost:8000/path", "localhost:8000", "http"),
        ("http://localhost.elsewhere.example", "localhost", "http"),
        ("http://elsewhere.example", "elsewhere.example", "http"),
        ("https://desk.example", "localhost:8000", "http"),
        ("http://desk.example:8443", "localhost:8000", "http"),
        ("https://user@desk.example:8443", "localhost:8000", "http"),
        ("https://desk.example:8443/path", "localhost:8000", "http"),
        ("http://eu.fleet.example", "localhost", "http"),
        ("https://eu.fleet.example:8443", "localhost", "http"),
        ("https://badfleet.example", "localhost", "http"),
        ("https://elsewhere.example/.fleet.example", "localhost", "http"),
        ("https://elsewhere.example?.fleet.example", "localhost", "http"),
        ("https://user@eu.fleet.example", "localhost", "http"),
        ("https://*.fleet.example/", "localhost", "http"),
        ("http://localhost", "", "http"),
        ("http://localhost", "localhost:port", "http"),
        ("http://[::1", "[::1", "http"),
        ("null", "null", "http"),
        ("", "", "http"),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=TRUSTED)
def test_a_page_from_elsewhere_is_not(origin: str, host: str, scheme: str) -> None:
    assert not is_own(origin, host, scheme)


@pytest.mark.parametrize(
    ("is_behind_tls", "scheme", "own"),
    [
        (False, "ws", "http://localhost"),
        (False, "wss", "https://localhost"),
        (True, "ws", "https://localhost"),
    ],
)
def test_the_scheme_is_that_of_the_site(is_behind_tls: bool, scheme: str, own: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=is_behind_tls):
        opened = [
            origin
            for origin in ("http://localhost", "https://localhost")
            if asyncio.run(opens(origin, scheme))
        ]
    assert opened == [own]


async def opens(origin: str, scheme: str) -> bool:
    """Whether a page of `origin` gets past."""
    asked = []

    async def application(scope: WebSocketScope, receive: object, send: object) -> None:
        asked.append(scope)

    headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
    socket = WebsocketCommunicator(OwnOrigin(application), "/ws/", headers)
    socket.scope["scheme"] = scheme
    await socket.send_input({"type": "websocket.connect"})
    await socket.wait()
    return bool(asked)
