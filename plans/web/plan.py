"""A plan's page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.models import TaskState
from plans.queries import choices, event_log, feed, task_table
from plans.rendering import cells, cursors, regions
from plans.templatetags import timing
from plans.web.access import HtmxRequest, page, plan_or_refusal
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
    """The whole page; htmx that asks for `#task-table` gets the table alone."""
    shown = plan_or_refusal(plan_id)
    cursor = cursors.plan_cursor(shown)
    table = task_table.read(shown, task_filter(request.GET), request.GET.get("page"))
    context = {"plan": shown, "table": table, "cursor": cursor, **TABLE_WORDS}
    if request.htmx and request.htmx.target == "task-table":
        return render(request, "plans/_task_table.html", context)
    wall = cells.plan_cells(shown)
    context |= {
        "event_groups": event_log.GROUPS.items(),
        "regions": regions.by_name(regions.plan_regions(shown)),
        "wall": cells.wall_html(wall),
        "cells": len(wall),
        "items": feed.plan_feed(shown),
    }
    return render(request, "plans/plan.html", context)
