"""Error pages: what happened, whether trying again helps, what to do."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.log import log_response
from django.utils.translation import gettext as _

from plans.engine.database_watch import AWAY
from plans.errors import DatabaseAway


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _page(
        request, 400, _("The request cannot be read."), _("Go back, and mend what you have sent.")
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, without a role that allows this."""
    text = _("Your account has no role that may see this. Ask an administrator for one.")
    return _page(request, 403, _("You may not see this."), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is not ours or too old."""
    text = _("The page was open for too long, or cookies are off. Load it again, then try again.")
    return _page(request, 403, _("The form could not be checked."), text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    text = _("There is nothing at this address. It may be mistyped.")
    return _page(request, 404, _("Not found."), text)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: without anything that could fail again. 503 where it was the database."""
    error = sys.exception()
    if isinstance(error, AWAY):
        return _database_away(request, error)
    text = _("Bluegreen itself failed here; it is logged. What was running goes on. Try again.")
    return _plain_page(request, 500, _("Something went wrong."), text)


def _database_away(request: HttpRequest, error: BaseException) -> HttpResponse:
    text = _("Nothing can be shown until it does. Try again soon.")
    if request.method not in ("GET", "HEAD"):
        text = str(DatabaseAway().message)
    answer = _plain_page(request, 503, _("The database does not answer."), text)
    answer["Retry-After"] = "1"
    # Django would write a traceback for each; what was logged here it does not log again.
    log_response(
        "%s %s: %s", request.method, request.path, str(error), response=answer, request=request
    )
    return answer


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    answer = render(request, "error.html", _context(status, title, text), status=status)
    add_never_cache_headers(answer)
    return answer


def _plain_page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """The page without who is signed in, and whatever else the database must be asked for."""
    context = {**_context(status, title, text), "csrf_token": get_token(request)}
    answer = HttpResponse(render_to_string("error.html", context), status=status)
    add_never_cache_headers(answer)
    # Where htmx asked for a part of a page, it stands among the alerts.
    answer["HX-Retarget"], answer["HX-Reswap"] = "#alerts", "innerHTML"
    answer["HX-Reselect"] = "#main > *"
    return answer


def _context(status: int, title: str, text: str) -> dict[str, Any]:
    return {"status": status, "title": title, "text": text}
