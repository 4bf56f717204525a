"""The overview: the wall."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.queries import fleet, wall
from plans.queries.fleet import FleetFilter
from plans.rendering import cells, cursors, regions
from plans.rendering.overview_page import overview_regions
from plans.web.access import page


@page
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Every tenant a cell; `?environment=`, `?state=` and `?q=` leave the others out."""
    cursor = cursors.fleet_cursor()  # Before all else: what happens meanwhile comes again.
    chosen = FleetFilter.of(request.GET)
    rows = wall.fleet_rows()
    figures = fleet.filtered(rows, chosen)
    context = {
        "regions": regions.by_name(overview_regions(figures)),
        "fleet": figures,
        "wall": cells.wall_html(cells.fleet_cells(filter(chosen.takes, rows))),
        "cursor": cursor,
    }
    return render(request, "plans/overview.html", context)
