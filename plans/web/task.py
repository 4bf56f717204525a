"""A task's page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.queries import feed
from plans.queries.existing import existing_task
from plans.rendering import cursors, regions
from plans.web.access import page


@page
@require_safe
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """The whole page."""
    shown = existing_task(task_id)
    cursor = cursors.plan_cursor(shown.plan)
    context = {
        "task": shown,
        "plan": shown.plan,
        "regions": regions.by_name(regions.task_regions(shown)),
        "cursor": cursor,
        "items": feed.task_feed(shown),
    }
    return render(request, "plans/task.html", context)
