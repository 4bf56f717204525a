"""Creating a plan: the form, its preview, the search for tenants, the table that is uploaded."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from plans import operations, preview
from plans.actor import Actor, Permission
from plans.errors import ValidationFailed
from plans.queries import tenants
from plans.queries.people import names_of_who_may
from plans.web.access import HtmxRequest, actor_of, page
from plans.web.forms import ID
from plans.web.plan_form import PlanForm, split_ids, submitted

START = {"waves": "1, 10%, rest"}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: HtmxRequest) -> HttpResponse:
    """The empty form; or create the plan, and start it if asked to (`then=start`)."""
    actor = actor_of(request)
    if request.method != "POST":
        if not actor.may(Permission.OPERATE):
            people = names_of_who_may(Permission.OPERATE)
            return render(request, "plans/plan_new_not.html", {"people": people})
        return _form(request, PlanForm(initial=START), request.GET)
    actor.require(Permission.OPERATE)
    data = submitted(request)
    form = PlanForm(data)
    if "add" in data:
        _add_matching(data)
        form = PlanForm(data)
        return _form(request, form, data, _preview(form, data, actor))
    if not form.is_valid():
        return _form(request, form, data, status=422)
    try:
        plan = operations.create_plan(form.as_request(), actor)
    except ValidationFailed as refused:
        shown = preview.of_summary(refused.summary, form.cleaned_data["csv"].lines)
        return _form(request, form, data, shown, refused.status)
    if data.get("then") == "start":
        operations.start_plan(plan.pk, actor)
    messages.success(request, _("“%(name)s” is created.") % {"name": plan.name})
    return redirect("plan", plan.pk)


@page
@require_POST
def plan_preview(request: HtmxRequest) -> HttpResponse:
    """What the plan would do; stores nothing. Htmx gets the preview, others the whole page.

    `from` is the place of the first tenant that is shown one by one.
    """
    actor = actor_of(request)
    actor.require(Permission.OPERATE)
    data = submitted(request)
    form = PlanForm(data)
    shown = _preview(form, data, actor)
    if request.htmx:
        return render(request, "plans/_preview.html", {"form": form, "preview": shown})
    return _form(request, form, data, shown)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def plan_tenants(request: HtmxRequest) -> HttpResponse:
    """Tenants that match `search`, `environment` and `label`, to be ticked; `pick`s stay ticked."""
    data = request.POST or request.GET
    return render(request, "plans/_tenant_picker.html", {"picker": _picker(data)})


@page
@require_POST
def plan_table(request: HtmxRequest) -> HttpResponse:
    """The field of the table, with what a file holds; stores nothing."""
    actor_of(request).require(Permission.OPERATE)
    answer = render(request, "plans/_table_field.html", {"form": PlanForm(submitted(request))})
    answer["HX-Trigger-After-Swap"] = "tenants:changed"
    return answer


def _form(
    request: HtmxRequest,
    form: PlanForm,
    data: QueryDict,
    shown: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "preview": shown,
        "picker": _picker(data),
        "pasted": data.get("tenants", ""),
    }
    return render(request, "plans/plan_new.html", context, status=status)


def _preview(form: PlanForm, data: QueryDict, actor: Actor) -> dict[str, Any] | None:
    """What `preview` shows of the plan; None while the form cannot be read."""
    if not form.is_valid():
        return None
    asked, lines = form.as_request(), form.cleaned_data["csv"].lines
    start = data.get("from", "")
    found = operations.preview_plan(asked, actor)
    return preview.of_preview(found, asked, lines, int(start) if ID.match(start) else 0)


def _add_matching(data: QueryDict) -> None:
    """Write all tenants that match the search, but for the ticked ones, into the list of ids."""
    ticked = set(data.getlist("pick"))
    more = [each for each in _picker(data).all_ids() if each not in ticked]
    data["tenants"] = "\n".join(dict.fromkeys([*split_ids(data.get("tenants", "")), *more]))


def _picker(data: QueryDict) -> tenants.Picker:
    search, environment, label = (data.get(name, "") for name in ("search", "environment", "label"))
    return tenants.search(search, environment, label, data.getlist("pick"))
