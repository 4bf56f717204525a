"""Who may see pages, and how a refusal is shown."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from plans.actor import Actor, Permission
from plans.errors import RefusedError

View = Callable[..., HttpResponseBase]


class HtmxRequest(HttpRequest):
    """A request as django-htmx's middleware leaves it."""

    htmx: HtmxDetails


def page(view: View) -> View:
    """A view for everybody who may view plans; what is refused in it is said in words."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except RefusedError as refused:
            return refusal(request, refused)

    allowed = permission_required(Permission.VIEW, raise_exception=True)(guarded)
    # Who comes after somebody who has signed out must not find it in the browser.
    return never_cache(vary_on_headers("HX-Request")(login_required(allowed)))


def refusal(request: HttpRequest, refused: RefusedError) -> HttpResponse:
    """The refusal with its HTTP status: a page, or for htmx an alert on the page that asked."""
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    context = {
        "refused": refused,
        "message": str(refused.message),
        "back": came_from if is_ours else "",
    }
    if not getattr(request, "htmx", None):
        return render(request, "plans/refused.html", context, status=refused.status)
    answer = render(request, "plans/_refusal.html", context, status=refused.status)
    answer["HX-Retarget"] = "#alerts"
    answer["HX-Reswap"] = "innerHTML"
    answer["HX-Reselect"] = "#refusal"
    return answer


def actor_of(request: HttpRequest) -> Actor:
    """Who asks."""
    return Actor.of(request.user)
