"""Who may watch: looked at when a page subscribes, and again while it is open."""

from enum import IntEnum
from importlib import import_module

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.utils import translation

from plans.actor import Actor, Permission


class Close(IntEnum):
    """Why a socket is closed, after HTTP's numbers: servers send none below 3000 but 1000.

    A page that is told one of the first three does not come back by itself; all others do.
    """

    SIGN_IN = 4401
    FORBIDDEN = 4403
    UNKNOWN = 4404
    NONSENSE = 4400
    STALLED = 4408
    """The page did not say for long that it saw anything."""
    TOO_LARGE = 4413
    LATER = 4503
    """The database does not answer now."""


def refusal(cookies: dict[str, str]) -> Close | None:
    """Why whoever sent `cookies` may not watch; None if they may. Reads the database afresh."""
    request = HttpRequest()
    request.COOKIES = cookies
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(cookies.get(settings.SESSION_COOKIE_NAME))
    user = auth.get_user(request)
    if not user.is_authenticated:
        return Close.SIGN_IN
    return None if Actor.of(user).may(Permission.VIEW) else Close.FORBIDDEN


def language_of(cookies: dict[str, str], accept_language: str) -> str:
    """The language in which the same browser is shown pages."""
    request = HttpRequest()
    request.COOKIES = cookies
    request.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return translation.get_language_from_request(request)
