"""A plan's page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.models import Plan, TaskState
from plans.queries import choices, event_log, feed, task_table
from plans.queries.existing import existing_plan
from plans.rendering import cells, cursors, regions
from plans.templatetags import timing
from plans.web.access import HtmxRequest, page
from plans.web.forms import task_filter

TABLE_WORDS: dict[str, Any] = {
    "states": TaskState.choices,
    "views": task_table.VIEWS.items(),
    "sizes": task_table.PAGE_SIZES,
    "span_looks": timing.SPANS.items(),
    "bulk_verbs": [(verb, choices.TASK_LABELS[verb]) for verb in choices.TASK_VERBS],
}


@page
@require_safe
def plan(request: HtmxRequest, plan_id: int) -> HttpResponse:
    """The whole page; htmx that asks for `#task-table` or `#wall` gets that alone."""
    shown = existing_plan(plan_id)
    part = request.htmx.target if request.htmx else None
    if part == "wall":
        return render(request, "plans/_plan_wall.html", {"plan": shown, **_wall(shown)})
    cursor = cursors.plan_cursor(shown)
    table = task_table.read(shown, task_filter(request.GET), request.GET.get("page"))
    context = {"plan": shown, "table": table, "cursor": cursor, **TABLE_WORDS}
    if part == "task-table":
        return render(request, "plans/_task_table.html", context)
    context |= {
        "event_groups": event_log.GROUPS.items(),
        "regions": regions.by_name(regions.plan_regions(shown)),
        **_wall(shown),
        "items": feed.plan_feed(shown),
    }
    return render(request, "plans/plan.html", context)


def _wall(plan: Plan) -> dict[str, Any]:
    found = cells.plan_cells(plan)
    return {"wall": cells.wall_html(found), "cells": len(found)}
