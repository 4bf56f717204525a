"""The list of plans."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.queries import plan_list
from plans.rendering import cursors, regions
from plans.web.access import HtmxRequest, page


@page
@require_safe
def plans(request: HtmxRequest) -> HttpResponse:
    """`?q=`, `?state=`, `?page=`; htmx gets the table alone."""
    cursor = cursors.fleet_cursor()
    asked = request.GET
    text = asked.get("q", "").replace("\x00", "").strip()[:200]
    found = plan_list.read(text, asked.get("state", "").upper(), asked.get("page"))
    part = request.htmx and request.htmx.target == "plan-table"
    template = "plans/_plan_table.html" if part else "plans/plan_list.html"
    context = {"list": found, "cursor": cursor}
    context["regions"] = regions.by_name(regions.plan_list_regions())
    return render(request, template, context)
