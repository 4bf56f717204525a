"""Who asks: the bearer of a token, or who is signed in, as an `Actor`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from plans.actor import Actor
from plans.api.errors import CsrfRefused, Unauthenticated
from plans.models import ApiToken


class ApiRequest(HttpRequest):
    """A request whose sender is known."""

    auth: Actor


class BearerToken(HttpBearer):
    """`Authorization: Bearer <token>`; once sent, a token decides, also when it is wrong."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        actor = ApiToken.actor_of(token.strip())
        if actor is None:
            raise Unauthenticated
        return actor


class Session(AuthBase):
    """The dashboard's session; what changes something also needs the CSRF token."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    csrf = True

    def __call__(self, request: HttpRequest) -> Any | None:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise CsrfRefused
        return Actor.of(request.user)
