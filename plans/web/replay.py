"""A plan's replay: its page as it was at one moment of its journal."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.queries import replay as moments
from plans.queries.bar import segments
from plans.queries.existing import existing_plan
from plans.queries.funnel import stage_funnel
from plans.rendering import cells
from plans.web.access import HtmxRequest, page

SEQ_MAX_DIGITS = 18


@page
@require_safe
def replay(request: HtmxRequest, plan_id: int) -> HttpResponse:
    """The moment `?at=SEQ`, or the latest; htmx that asks for it gets the moment alone."""
    plan = existing_plan(plan_id)
    moment = moments.moment_at(plan, _seq(request.GET.get("at", "")))
    context = {
        "plan": plan,
        "moment": moment,
        "segments": segments(moment.tally.by_state),
        "stages": stage_funnel(plan, moment.tally),
        "wall": cells.wall_html(
            cells.cell_of(row, f"cell-{row.task_id}") for row in moments.wall_rows(moment)
        ),
        "cells": len(moment.standings),
    }
    is_part = request.htmx and request.htmx.target == "replay-moment"
    template = "plans/_replay_moment.html" if is_part else "plans/replay.html"
    return render(request, template, context)


def _seq(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= SEQ_MAX_DIGITS
    return int(text) if is_number else None
