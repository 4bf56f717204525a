"""Where the API's addresses are, and what holds for all of them, also those that do not exist."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from plans import conf
from plans.api.api import api
from plans.api.bodies import require_length
from plans.api.errors import MethodNotAllowed, NothingHere, answer
from plans.errors import MalformedRequest, RefusedError, RequestTooLarge

View = Callable[..., HttpResponse]


def _guarded(view: View) -> View:
    """`view` with all refusals in our shape, in the language of `Accept-Language`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            require_length(request)
            response = view(request, *args, **kwargs)
        except RefusedError as refused:
            response = answer(refused)
        except Http404:
            response = answer(NothingHere())
        except RequestDataTooBig:
            response = answer(RequestTooLarge(limit=conf.BODY_MAX_BYTES))
        except UnreadablePostError:
            response = answer(MalformedRequest())
        if response.status_code == 405:
            allowed = response["Allow"]
            response = answer(MethodNotAllowed(method=request.method, allowed=allowed))
            response["Allow"] = allowed
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    # What a session asks for is checked by `plans.api.auth`; a token needs no such check.
    return csrf_exempt(guarded)


def _nothing_here(request: HttpRequest) -> HttpResponse:
    raise NothingHere


def _all() -> list[URLPattern]:
    patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
    for pattern in patterns:
        pattern.callback = _guarded(pattern.callback)
    return [*patterns, re_path(r"", _guarded(_nothing_here))]


app_name = api.urls_namespace
urlpatterns = _all()
