"""Who asks: the bearer of a token, or who is signed in, as an `Actor`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from plans.actor import Actor, Permission
from plans.api.errors import CsrfRefused, Unauthenticated
from plans.models import ApiToken


class ApiRequest(HttpRequest):
    """A request whose sender is known."""

    auth: Actor


class BearerToken(HttpBearer):
    """`Authorization: Bearer <token>`; once sent, a token decides, also when it is wrong."""

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self._permission = permission

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        actor = ApiToken.actor_of(token.strip())
        if actor is None:
            raise Unauthenticated
        actor.require(self._permission)
        return actor


class Session(AuthBase):
    """The dashboard's session; what changes something also needs the CSRF token."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    csrf = True

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self._permission = permission

    def __call__(self, request: HttpRequest) -> Any | None:
        if not request.user.is_authenticated:
            return None
        # Kept for whoever reads it next: the check looks for its token in a form, and uses it up.
        _ = request.body
        if check_csrf(request):
            raise CsrfRefused
        actor = Actor.of(request.user)
        actor.require(self._permission)
        return actor


def needs(permission: Permission) -> list[AuthBase]:
    """Who may: asked before anything else of a request is read."""
    return [BearerToken(permission), Session(permission)]
