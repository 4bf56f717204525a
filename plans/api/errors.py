"""Every refusal as `{"error": {"code", "message", "details"}}`."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_noop as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from plans import conf
from plans.errors import (
    DatabaseAway,
    MalformedRequest,
    NotFound,
    RedisUnavailable,
    RefusedError,
    RequestTooLarge,
)
from plans.faults import message_of
from plans.validation import Issue
from plans.validation.summary import error
from plans.validation.text import storable

logger = logging.getLogger(__name__)

FAULTS_MAX = 100
"""Faults that one answer to a malformed request names."""
ID_SHOWN_CHARS = 80
NO_OBJECT = frozenset({"missing", "model_type", "model_attributes_type"})
"""How pydantic says that a body is no object."""
BRANCHES = frozenset({"constrained-int", "constrained-str", "int", "str"})
"""What pydantic adds to a field's path where more than one type is taken."""


class Unauthenticated(RefusedError):
    """Nobody is signed in, and no valid token came along."""

    status = 401
    code = "UNAUTHENTICATED"
    template = _("Sign in, or send a valid token: Authorization: Bearer <token>.")


class CsrfRefused(RefusedError):
    """The session's owner may not have meant it."""

    status = 403
    code = "CSRF_FAILED"
    template = _("The CSRF token is missing or wrong: send it as the header X-CSRFToken.")


class NothingHere(NotFound):
    """No operation has this address."""

    template = _("There is nothing at this address. /api/docs lists what there is.")


class MethodNotAllowed(RefusedError):
    """The address exists, with other methods."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    template = _("%(method)s is not possible here, only %(allowed)s.")


class TooManyRequests(RefusedError):
    """The sender asks too often."""

    status = 429
    code = "TOO_MANY_REQUESTS"
    template = _("Too many requests: wait as long as Retry-After says, then try again.")


class TenantRedisAway(RefusedError):
    """The Redis with the tenants' configuration did not answer."""

    status = 503
    code = "REDIS_UNAVAILABLE"
    template = _("The tenants' Redis does not answer now: try again.")


def fault(field: str, template: str, /, **values: Any) -> dict[str, Any]:
    """One detail of a malformed request, in the shape of the validation's issues."""
    return error("MALFORMED", field, template, **values).as_json()


def answer(refused: RefusedError) -> HttpResponse:
    """The answer that says `refused`."""
    details = [each.as_json() if isinstance(each, Issue) else each for each in refused.details]
    body = {"code": refused.code, "message": str(refused.message), "details": details}
    response = JsonResponse({"error": body}, status=refused.status)
    if refused.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Bluegreen"'
    if refused.status == 503:
        response["Retry-After"] = "1"
    return response


def install(api: NinjaAPI) -> None:
    """Let `api` answer every refusal in our shape. What is no refusal is a fault of ours: 500."""
    translators: dict[type[Exception], Callable[[HttpRequest, Any], RefusedError]] = {
        RefusedError: lambda request, refused: refused,
        ValidationError: _of_validation,
        AuthenticationError: lambda request, away: Unauthenticated(),
        Throttled: lambda request, throttled: TooManyRequests(),
        HttpError: _of_http_error,
        Http404: lambda request, missing: NothingHere(),
        RequestDataTooBig: lambda request, big: RequestTooLarge(limit=conf.BODY_MAX_BYTES),
        SuspiciousOperation: lambda request, bad: MalformedRequest(),
        BadRequest: lambda request, bad: MalformedRequest(),
        MultiPartParserError: lambda request, bad: MalformedRequest(),
        UnreadablePostError: lambda request, bad: MalformedRequest(),
        OperationalError: _of_database_error,
        RedisUnavailable: _of_redis_error,
    }
    for kind, translate in translators.items():
        api.add_exception_handler(kind, _handler(translate))


def _handler(
    translate: Callable[[HttpRequest, Any], RefusedError],
) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda request, raised: answer(translate(request, raised))


def _of_http_error(request: HttpRequest, raised: HttpError) -> RefusedError:
    # What the parser of bodies raises comes wrapped.
    return raised.__cause__ if isinstance(raised.__cause__, RefusedError) else MalformedRequest()


def _of_database_error(request: HttpRequest, raised: OperationalError) -> RefusedError:
    logger.error("%s %s: %s", request.method, request.path, raised)
    return DatabaseAway()


def _of_redis_error(request: HttpRequest, raised: RedisUnavailable) -> RefusedError:
    logger.error("%s %s: %s", request.method, request.path, raised)
    return TenantRedisAway()


def _of_validation(request: HttpRequest, raised: ValidationError) -> RefusedError:
    for each in raised.errors:
        source, *path = each["loc"]
        if source == "path":
            name = str(path[0])
            given = request.resolver_match.kwargs[name] if request.resolver_match else ""
            return NotFound(what=name.removesuffix("_id"), id=storable(str(given))[:ID_SHOWN_CHARS])
    faults = [_fault_of(each) for each in raised.errors[:FAULTS_MAX]]
    first = f"{faults[0]['field']}: {faults[0]['message']}".removeprefix(": ")
    return MalformedRequest(_("The request cannot be read: %(first)s"), faults=faults, first=first)


def _fault_of(each: dict[str, Any]) -> dict[str, Any]:
    source, *path = each["loc"]
    # A body's path, and one into a list, begins with the name of our parameter.
    path = path[1:] if source == "body" or len(path) > 1 else path
    if not path and each["type"] in NO_OBJECT:
        return fault("", _("Send a JSON object as the body."))
    if len(path) > 1 and path[-1] in BRANCHES:
        path = path[:-1]
    where = ".".join(str(part) for part in path)
    return fault(storable(where), "%(what)s", what=message_of(each))
