"""What only a real server shows: bodies without a length, odd bytes, the page of the docs."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import sync_playwright

from plans import conf
from plans.models import ApiToken
from tests.api.conftest import make_user
from tests.support.browser import BROWSER_MS, launch
from tests.support.processes import Processes, WebProcess
from tests.support.waiting import WAIT_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def web(processes: Processes) -> WebProcess:
    return processes.web()


@pytest.fixture
def http(web: WebProcess) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {ApiToken.issue(make_user('operator'))}"}
    with httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def test_a_body_without_a_length_is_measured(http: httpx.Client) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"name": "'
        for _chunk in range(size // 65536 + 1):
            yield b"x" * 65536
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    large = http.post("/api/plans", content=chunks(conf.BODY_MAX_BYTES), headers=headers)
    assert large.status_code == 413
    assert large.json()["error"]["code"] == "TOO_LARGE"
    small = http.post("/api/plans", content=chunks(1), headers=headers)
    assert small.status_code == 400
    assert small.json()["error"]["details"]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/plans?search=\xff HTTP/1.1",
        b"GET /api/plans/%ff%fe HTTP/1.1",
        b"GET /api/plans?search=%ed%a0%80 HTTP/1.1",
    ],
)
def test_odd_bytes_in_an_address_are_the_senders_fault(
    request_line: bytes, web: WebProcess, http: httpx.Client
) -> None:
    token = http.headers["Authorization"].encode()
    with socket.create_connection(("127.0.0.1", web.port), WAIT_SECONDS) as connection:
        connection.sendall(
            request_line
            + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: "
            + token
            + b"\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split(b" ", 2)[1] in (b"200", b"400", b"404"), answer[:300]


@pytest.mark.browser
def test_the_docs_work_offline_under_the_content_security_policy(
    web: WebProcess, chromium: str
) -> None:
    complaints: list[str] = []
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        page = browser.new_page()
        page.set_default_timeout(BROWSER_MS)
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((web.url, "data:")) else outside.append(request.url)
            ),
        )
        page.goto(f"{web.url}/api/docs")
        page.get_by_text("/api/plans/{plan_id}/start").wait_for()
        page.get_by_text("Create a plan").click()
        page.get_by_text("Request body").first.wait_for()
        browser.close()
    assert complaints == []
    assert outside == []
