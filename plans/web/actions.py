"""Operations on one plan or one task: a confirmation (GET), then the act (POST)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from plans import operations
from plans.queries import blast, choices, task_page
from plans.queries.existing import existing_plan, existing_task
from plans.rendering import regions
from plans.web.access import HtmxRequest, actor_of, page
from plans.web.forms import command_of, require_typed_name


@page
@require_http_methods(["GET", "POST"])
def plan_action(request: HtmxRequest, plan_id: int, verb: str) -> HttpResponse:
    """Do `verb` to a plan, if it still is what its sender saw."""
    plan = existing_plan(plan_id)
    actor = actor_of(request)
    if request.method == "GET":
        context = regions.confirmation(plan, verb, actor)
        return dialog(request, "plans/_confirm_plan.html", context)
    command = command_of(request.POST, verb)
    require_typed_name(request.POST, plan, verb, actor)
    done = operations.OF_PLANS[verb](plan_id, actor, **command)
    said = {"name": done.name, "state": done.get_state_display()}
    if verb == "approve":
        messages.success(request, _("The gate of “%(name)s” is approved.") % said)
    else:
        # Where the page tells of another state, the notice has had its day.
        text = _("“%(name)s” is now %(state)s.") % said
        messages.success(request, text, extra_tags=done.state)
    return redirect("plan", plan_id)


@page
@require_http_methods(["GET", "POST"])
def task_action(request: HtmxRequest, task_id: int, verb: str) -> HttpResponse:
    """Do `verb` to a task, if it still is what its sender saw."""
    task = existing_task(task_id)
    if request.method == "GET":
        over = request.GET.get("from_checkpoint") == "0"
        choice = next(each for each in choices.of_task(task) if each.verb == verb)
        context = {"task": task, "choice": choice, "over": over}
        context["effects"] = [] if choice.why_not else blast.of_task(task, verb)
        context["stages"] = task_page.stages_of(task, verb, from_checkpoint=not over)
        return dialog(request, "plans/_confirm_task.html", context)
    done = operations.OF_TASKS[verb](task_id, actor_of(request), **command_of(request.POST, verb))
    said = {"tenant": done.tenant_id, "state": done.get_state_display()}
    if done.control:
        text = _("Asked for: tenant %(tenant)s obeys at its next stage boundary.")
    else:
        text = _("Tenant %(tenant)s is now %(state)s.")
    messages.success(request, text % said, extra_tags=done.state)
    return redirect("task", task_id)


def dialog(request: HtmxRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The confirmation: for htmx alone, else as a page of its own."""
    if request.htmx:
        return render(request, template, context)
    return render(request, "plans/dialog.html", {**context, "dialog": template})
