"""Creating a plan: the form, its preview, the search for tenants."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from plans import operations
from plans.actor import Permission
from plans.errors import ValidationFailed
from plans.queries import tenants
from plans.rendering import preview
from plans.web.access import HtmxRequest, actor_of, page
from plans.web.forms import PlanForm, split_ids


@page
@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: HtmxRequest) -> HttpResponse:
    """The empty form; or create the plan, and start it if asked to (`then=start`)."""
    actor = actor_of(request)
    if request.method != "POST":
        return _form(request, PlanForm(initial={"waves": "1, 10%, rest"}))
    actor.require(Permission.OPERATE)
    form = PlanForm(request.POST)
    if "add" in request.POST:
        return _form(request, form)
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        plan = operations.create_plan(form.as_request(), actor)
    except ValidationFailed as refused:
        return _form(request, form, preview.of_summary(refused.summary), status=refused.status)
    if request.POST.get("then") == "start":
        operations.start_plan(plan.pk, actor)
    messages.success(request, _("“%(name)s” is created.") % {"name": plan.name})
    return redirect("plan", plan.pk)


@page
@require_POST
def plan_preview(request: HtmxRequest) -> HttpResponse:
    """What the plan would do; stores nothing. Htmx gets the preview, others the whole page."""
    actor = actor_of(request)
    actor.require(Permission.OPERATE)
    form = PlanForm(request.POST)
    shown = None
    if form.is_valid():
        shown = preview.of_preview(operations.preview_plan(form.as_request(), actor))
    if request.htmx:
        return render(request, "plans/_preview.html", {"form": form, "preview": shown})
    return _form(request, form, shown)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def plan_tenants(request: HtmxRequest) -> HttpResponse:
    """Tenants that match `search` and `environment`, to be ticked; `pick`s stay ticked."""
    data = request.POST or request.GET
    return render(request, "plans/_tenant_picker.html", {"picker": _picker(data)})


def _form(
    request: HtmxRequest, form: PlanForm, shown: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    pasted, picker = data.get("tenants", ""), _picker(data)
    if data.get("add") == "matching":
        ticked = set(data.getlist("pick"))
        more = [each for each in picker.all_ids() if each not in ticked]
        pasted = "\n".join(dict.fromkeys([*split_ids(pasted), *more]))
    context: dict[str, Any] = {"form": form, "preview": shown, "picker": picker, "pasted": pasted}
    return render(request, "plans/plan_new.html", context, status=status)


def _picker(data: QueryDict) -> tenants.Picker:
    return tenants.search(data.get("search", ""), data.get("environment", ""), data.getlist("pick"))
