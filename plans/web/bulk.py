"""One operation on many tasks: a confirmation that pins them, then what became of each."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from plans import operations
from plans.actor import Permission
from plans.models import Plan
from plans.queries import bulk
from plans.queries.existing import existing_plan
from plans.web.access import HtmxRequest, actor_of, page
from plans.web.forms import command_of, pinned_tasks, selected_tasks


@page
@require_http_methods(["GET", "POST"])
def bulk_action(request: HtmxRequest, plan_id: int, verb: str) -> HttpResponse:
    """GET confirms the selection; POST acts on exactly the tasks that were confirmed."""
    plan = existing_plan(plan_id)
    if request.method == "GET":
        context: dict[str, Any] = {
            "plan": plan,
            "pick": bulk.pick(plan, selected_tasks(request.GET, plan), verb),
            "begin": request.GET.get("from_checkpoint", ""),
        }
        template = "plans/_confirm_bulk.html"
    else:
        context = {"plan": plan, "outcome": _act(request, plan, verb)}
        template = "plans/_bulk_results.html"
    if request.htmx:
        return render(request, template, context)
    return render(request, "plans/dialog.html", {**context, "dialog": template})


def _act(request: HtmxRequest, plan: Plan, verb: str) -> bulk.BulkOutcome:
    actor = actor_of(request)
    actor.require(Permission.OPERATE)
    command = command_of(request.POST, verb)
    results = operations.Results()
    for state, task_ids in pinned_tasks(request.POST, plan).items():
        options = command | {"seen": state or None}
        results.add(operations.for_each(task_ids, operations.OF_TASKS[verb], actor, **options))
    return bulk.outcome(results.done, results.skipped, results.failed, verb)
