"""Error pages: what happened, whether trying again helps, what to do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


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
    """500: without anything that could fail again."""
    text = _("Bluegreen itself failed here; it is logged. What was running goes on. Try again.")
    return _page(request, 500, _("Something went wrong."), text)


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context: dict[str, Any] = {"status": status, "title": title, "text": text}
    return render(request, "error.html", context, status=status)
