"""The global stop: its confirmations, and its banner on every page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods

from plans import operations
from plans.models import MOVING_PLAN_STATES
from plans.queries.load import in_flight, plans_by_state
from plans.queries.stop import active_stop
from plans.web.access import HtmxRequest, actor_of, page
from plans.web.actions import dialog
from plans.web.forms import command_of


def stop_of_page(request: HttpRequest) -> dict[str, Any]:
    """A context processor: the stop that is active, read where a template asks for it."""
    return {"stop": SimpleLazyObject(active_stop)}


@page
@require_http_methods(["GET", "POST"])
def stop(request: HtmxRequest) -> HttpResponse:
    """Stop everything. Htmx that polls gets the banner alone."""
    if request.method == "POST":
        operations.stop_everything(actor_of(request), reason=_command(request)["reason"])
        return redirect("overview")
    if request.htmx and request.htmx.target == "stop-banner":
        return render(request, "plans/_stop_banner.html", {"stop": active_stop()})
    return dialog(request, "plans/_confirm_stop.html", _context())


@page
@require_http_methods(["GET", "POST"])
def lift(request: HtmxRequest) -> HttpResponse:
    """Lift the stop that its sender saw."""
    if request.method == "POST":
        command = _command(request)
        seen = command["seen"] if isinstance(command["seen"], int) else None
        operations.lift_stop(actor_of(request), seen=seen, reason=command["reason"])
        return redirect("overview")
    return dialog(request, "plans/_confirm_lift.html", _context())


def _command(request: HtmxRequest) -> dict[str, Any]:
    return command_of(request.POST, "stop")


def _context() -> dict[str, Any]:
    plans = plans_by_state()
    return {
        "stop": active_stop(),
        "moving": sum(plans.get(state, 0) for state in MOVING_PLAN_STATES),
        "tasks": sum(in_flight().values()),
    }
