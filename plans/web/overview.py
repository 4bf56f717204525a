"""The overview: the wall."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plans.models import Environment
from plans.queries import wall
from plans.queries.wall import WallRow
from plans.rendering import cells, cursors, regions
from plans.web.access import page


@page
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Every tenant a cell; `?environment=` and `?state=` leave the others out."""
    cursor = cursors.fleet_cursor()  # Before all else: what happens meanwhile comes again.
    environment, state = request.GET.get("environment", ""), request.GET.get("state", "")
    rows = wall.fleet_rows()
    shown = [row for row in rows if _is_asked_for(row, environment, state)]
    context = {
        "regions": regions.by_name(regions.overview_regions()),
        "wall": cells.wall_html(cells.fleet_cells(shown)),
        "shown": len(shown),
        "total": len(rows),
        "environment": environment if environment in Environment.values else "",
        "state": state,
        "cursor": cursor,
    }
    return render(request, "plans/overview.html", context)


def _is_asked_for(row: WallRow, environment: str, state: str) -> bool:
    if environment in Environment.values and row.environment != environment:
        return False
    if not state:
        return True
    return row.state.lower() == state.lower()
