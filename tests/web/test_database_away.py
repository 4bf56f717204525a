"""Pages while the database is away: they say so, and ask it nothing more."""

import re
import socket
import urllib.request
from email.message import Message
from urllib.error import HTTPError

import pytest

from plans.live.admission import Close
from tests.support.processes import Processes, WebProcess

pytestmark = pytest.mark.processes

SESSION = "sessionid=abcdefghijklmnopqrstuvwx12345678"
PATHS = ["/", "/plans/", "/plans/1/events.csv", "/stop/", "/admin/", "/metrics", "/nowhere/"]


@pytest.fixture
def web(processes: Processes) -> WebProcess:
    return processes.web(DATABASE_URL="postgres://nobody:secret@127.0.0.1:9/nothing")


def test_every_page_says_that_the_database_is_away(web: WebProcess) -> None:
    for path in PATHS:
        status, headers, text = asked(web, path)
        assert status == 503, path
        assert "<h1>The database does not answer.</h1>" in text
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert "no-store" in headers["Cache-Control"]
        assert headers["Retry-After"] == "1"
    status, _headers, text = asked(web, "/plans/", **{"Accept-Language": "zh-hans"})
    assert (status, 'lang="zh-hans"' in text) == (503, True)

    lines = re.findall("ERROR django.request: .*", web.log)
    assert [line.split()[3] for line in lines] == [f"{path}:" for path in [*PATHS, "/plans/"]]
    assert "Traceback" not in web.log
    assert "secret" not in web.log


def test_who_signs_in_is_told_too(web: WebProcess) -> None:
    status, headers, _text = asked(web, "/login/", Cookie="")
    assert status == 200
    token = headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    form = f"username=olga&password=x&csrfmiddlewaretoken={token}".encode()
    status, _headers, text = asked(web, "/login/", form, Cookie=f"csrftoken={token}")
    assert status == 503
    assert "The database does not answer now" in text
    assert "Traceback" not in web.log


def test_a_page_that_watches_is_told_to_come_back(web: WebProcess) -> None:
    for path in ("/ws/overview/", "/ws/plans/1/"):
        assert closed_with(web, path) == Close.LATER
    assert web.log.count("A page is told to come back later") == 2
    assert "Traceback" not in web.log
    assert "secret" not in web.log


def closed_with(web: WebProcess, path: str) -> int:
    """With which code the server closes a socket, the first thing that it says on it."""
    handshake = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nOrigin: {web.url}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nCookie: {SESSION}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection:
        connection.sendall(handshake.encode())
        answer = connection.makefile("rb")
        assert answer.readline().split()[1] == b"101"
        while answer.readline() != b"\r\n":
            pass
        is_close, _length = answer.read(2)
        assert is_close == 0x88
        return int.from_bytes(answer.read(2), "big")


def asked(
    web: WebProcess, path: str, data: bytes | None = None, **headers: str
) -> tuple[int, Message, str]:
    """The status, headers and text of the answer to somebody who is signed in."""
    request = urllib.request.Request(web.url + path, data, {"Cookie": SESSION, **headers})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()
