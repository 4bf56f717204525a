"""Who may do what: every address, every role, every method, and every socket."""

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.urls import URLResolver, get_resolver, resolve

from plans.live.admission import Close
from plans.live.routing import websocket_urlpatterns
from tests.acceptance.caller import Caller, client_of, filled
from tests.acceptance.matrix import DOORS, ROLES, SOCKETS, Rule, Who
from tests.acceptance.rows import make_rows
from tests.live.sockets import Sockets

REFUSALS = {403, 404, 405}


def test_every_address_is_in_the_matrix() -> None:
    matrix = {
        resolve(filled(address)).route for addresses in DOORS.values() for address in addresses
    }
    assert set(_routes(get_resolver())) - matrix == set(), "say in matrix.py who may use these"


def test_every_socket_is_in_the_matrix() -> None:
    for pattern in websocket_urlpatterns:
        reached = [path for path in SOCKETS if pattern.pattern.match(filled(path).lstrip("/"))]
        assert reached, f"say in matrix.py who may listen to {pattern.pattern}"


@pytest.mark.parametrize("who", ROLES, ids=lambda who: who.name.lower())
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.django_db
def test_each_may_what_the_matrix_says_and_nothing_else(door: str, who: Who) -> None:
    caller = Caller(who)
    wrong: list[str] = []
    for address, rule in DOORS[door].items():
        for method, needed in (("GET", rule.get), ("POST", rule.post)):
            answer, is_changed = caller.ask(method, address, rule)
            said = f"{method} {address} as {who.name}: {answer.status_code}"
            if who < needed and not _is_refusal(answer, who, address):
                wrong.append(f"{said}, should be refused")
            if who >= needed and not _is_granted(answer, rule):
                wrong.append(f"{said}, should be granted")
            if is_changed and (method == "GET" or who < needed):
                wrong.append(f"{said}, and changed something")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.django_db
def test_other_methods_change_nothing_for_anybody(door: str) -> None:
    caller = Caller(Who.ADMIN)
    for address, rule in DOORS[door].items():
        for method in ("PUT", "DELETE"):
            answer, is_changed = caller.ask(method, address, rule)
            assert answer.status_code < 500, f"{method} {address}"
            assert not is_changed, f"{method} {address}"


@pytest.mark.parametrize(
    "who", [Who.ANONYMOUS, Who.STRANGER, Who.VIEWER], ids=lambda who: who.name.lower()
)
@pytest.mark.django_db(transaction=True)
def test_each_hears_what_the_matrix_says_and_nothing_else(who: Who, sockets: Sockets) -> None:
    rows = make_rows()
    client = client_of(who)
    code = {
        Who.ANONYMOUS: Close.SIGN_IN,
        Who.STRANGER: Close.FORBIDDEN,
        Who.VIEWER: Close.UNKNOWN,
    }[who]
    for address, needed in SOCKETS.items():
        socket = sockets.open(filled(address, rows), None if who is Who.ANONYMOUS else client)
        assert socket is not None
        if who >= needed:
            assert "cursor" in socket.receive(), address
        else:
            assert socket.closed_with() == code, address


@pytest.fixture
def sockets(redis_server: str) -> Iterator[Sockets]:
    opened = Sockets()
    try:
        yield opened
    finally:
        opened.stop()


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """The routes below `resolver`, in the words of a resolver's match."""
    for each in resolver.url_patterns:
        route = str(each.pattern)
        route = before + route.removeprefix("^") if before else route
        if isinstance(each, URLResolver):
            yield from _routes(each, route)
        else:
            yield route


def _is_refusal(answer: HttpResponse, who: Who, address: str) -> bool:
    if who is not Who.ANONYMOUS:
        return answer.status_code in REFUSALS
    if answer.status_code == 302:
        to_sign_in = "login/?next=" in answer["Location"]
        return to_sign_in or (address, answer["Location"]) == ("/admin/logout/", "/admin/")
    return answer.status_code in (401, 405)


def _is_granted(answer: HttpResponse, rule: Rule) -> bool:
    if answer.status_code == 302:
        return "login/?next=" not in answer["Location"]
    if answer.status_code == 404:
        return rule.leads_nowhere
    return answer.status_code not in (401, 403, 405)
