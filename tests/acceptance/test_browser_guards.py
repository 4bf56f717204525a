"""What keeps other sites' pages, and scripts in our own, from acting: at every address."""

import urllib.request
from email.message import Message
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, override_settings

from plans.models import ApiToken
from tests.acceptance.caller import Caller
from tests.acceptance.matrix import DOORS, EVERYBODY, Who
from tests.support.processes import Processes, WebProcess

FRAME = {"X-Frame-Options": "DENY"}
HEADERS = {
    **FRAME,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.django_db
def test_every_answer_binds_the_browser(door: str) -> None:
    caller = Caller(Who.ADMIN)
    for address, rule in DOORS[door].items():
        answer, _is_changed = caller.ask("GET", address, rule)
        assert_bound(answer, HEADERS, address)


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/static/icon.svg", "localhost", 200),
        ("/static/admin/css/base.css", "localhost", 200),
        ("/static/nothing.css", "localhost", 404),
        ("/plans/1", "localhost", 301),
        ("/nowhere/", "localhost", 404),
        ("/plans/", "elsewhere.example", 400),
    ],
)
@pytest.mark.django_db
def test_files_redirects_and_refusals_bind_the_browser_too(
    path: str, host: str, status: int
) -> None:
    answer = Client(raise_request_exception=False).get(path, headers={"Host": host})
    assert answer.status_code == status
    assert_bound(answer, HEADERS, path)


def test_probes_stand_in_no_frame() -> None:
    assert_bound(Client().get("/healthz"), FRAME, "/healthz")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.django_db
def test_what_needs_a_sign_in_is_not_kept_by_browsers(door: str) -> None:
    caller = Caller(Who.ADMIN)
    for address, rule in DOORS[door].items():
        if rule.get not in (EVERYBODY, Who.NOBODY):
            answer, _is_changed = caller.ask("GET", address, rule)
            assert "no-store" in answer.headers.get("Cache-Control", ""), address


@pytest.mark.django_db
def test_files_may_be_kept_by_browsers() -> None:
    answer = Client().get("/static/icon.svg")
    assert "max-age" in answer.headers["Cache-Control"]
    again = Client().get(
        "/static/icon.svg", headers={"If-Modified-Since": answer.headers["Last-Modified"]}
    )
    assert again.status_code == 304
    assert not answer.cookies


def assert_bound(answer: HttpResponse, headers: dict[str, str], address: str) -> None:
    policy = answer.headers.get("Content-Security-Policy", "")
    assert "default-src 'self'" in policy, address
    assert "frame-ancestors 'none'" in policy, address
    assert "unsafe" not in policy, address
    for name, value in headers.items():
        assert answer.headers.get(name) == value, (address, name)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.django_db
def test_no_post_of_a_session_acts_without_its_csrf_token(door: str) -> None:
    caller = Caller(Who.ADMIN, enforce_csrf_checks=True)
    for address, rule in DOORS[door].items():
        answer, is_changed = caller.ask("POST", address, rule)
        assert not is_changed, address
        # The API's description is open to all, and an address without a command says so first.
        if door != "api" or rule.post not in (EVERYBODY, Who.NOBODY):
            assert answer.status_code in (403, 405), address


@pytest.mark.django_db
def test_neither_passwords_nor_tokens_can_be_read_in_the_database() -> None:
    user = User.objects.create_user("olga", password="a long passphrase")
    token = ApiToken.issue(user)
    kept = str([*User.objects.values(), *ApiToken.objects.values()])
    assert "a long passphrase" not in kept
    assert token not in kept
    assert token.removeprefix("bg_") not in kept
    assert ApiToken.actor_of(token) is not None


@pytest.mark.django_db
def test_a_new_secret_key_ends_every_session() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/").status_code == 200
    with override_settings(SECRET_KEY="made anew after a backup was restored"):
        assert client.get("/").headers["Location"].startswith("/login/")


@pytest.fixture
def production(processes: Processes) -> WebProcess:
    """A server behind a proxy with TLS."""
    User.objects.create_superuser("root", password="a long passphrase")
    return processes.web(INSECURE_COOKIES="false")


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_behind_tls_cookies_are_for_tls_only_and_browsers_do_not_come_without(
    production: WebProcess,
) -> None:
    status, headers = asked(production, "/login/")
    assert status == 301
    assert headers["Location"].startswith("https://")
    status, headers = asked(production, "/login/", **{"X-Forwarded-Proto": "https"})
    assert status == 200
    age, *more = headers["Strict-Transport-Security"].split("; ")
    assert int(age.removeprefix("max-age=")) >= 31_536_000
    assert set(more) == {"includeSubDomains", "preload"}
    csrf = headers["Set-Cookie"]
    assert {"Secure", "SameSite=Lax"} <= set(csrf.split("; ")), csrf
    token = csrf.partition("=")[2].partition(";")[0]
    status, headers = asked(
        production,
        "/login/",
        data=f"username=root&password=a+long+passphrase&csrfmiddlewaretoken={token}".encode(),
        Cookie=f"csrftoken={token}",
        Referer=f"https://127.0.0.1:{production.port}/login/",
        **{"X-Forwarded-Proto": "https"},
    )
    assert status == 302
    [session] = [each for each in headers.get_all("Set-Cookie", []) if "sessionid" in each]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(session.split("; ")), session


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def asked(
    web: WebProcess, path: str, data: bytes | None = None, **headers: str
) -> tuple[int, Message]:
    """The status and headers of the answer; redirects are not followed."""
    request = urllib.request.Request(web.url + path, data, headers)
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=120) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers
