"""Cells of the walls: as HTML for the page, and as what a frame carries of them.

Thousands are on one page: strings are put together here, not in a template.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Sum
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from plans.models import Plan
from plans.queries import wall
from plans.queries.wall import WallRow

NAME_MAX_CHARS = 24
NAMED_MAX = 2000
"""Cells of larger plans say their tenants' ids alone: names would be an eighth of the page."""


class Cell(NamedTuple):
    """What a page shows of one cell; `title` is also what screen readers say.

    Without `classes` it stands there no longer.
    """

    id: str
    classes: str
    title: str
    href: str


def plan_cells(plan: Plan, task_ids: Sequence[int] | None = None) -> list[Cell]:
    """The cells `cell-<task>` of a plan's wall in its order, or those of `task_ids` alone."""
    rows = wall.plan_rows(plan, task_ids)
    is_named = (plan.waves.aggregate(size=Sum("size"))["size"] or 0) <= NAMED_MAX
    return [cell_of(row, f"cell-{row.task_id}", is_named=is_named) for row in rows]


def overview_cells(tenant_ids: Sequence[str] | None = None) -> list[Cell]:
    """The cells `t-<tenant>` of the overview, or those of `tenant_ids` alone: of who has left the
    fleet, too.
    """
    rows = wall.fleet_rows(tenant_ids)
    left = set(tenant_ids or ()).difference(row.tenant_id for row in rows)
    return [*fleet_cells(rows), *(Cell(f"t-{each}", "", "", "") for each in sorted(left))]


def fleet_cells(rows: Iterable[WallRow]) -> list[Cell]:
    """The cells of the overview for `rows`."""
    return [cell_of(row, f"t-{row.tenant_id}") for row in rows]


def cell_of(row: WallRow, element_id: str, *, is_named: bool = True) -> Cell:
    """The cell of `row`: its environment's letter, `mid` between two, and what is happening."""
    classes = f"cell {row.environment[:1]}"
    title = _shown(row) if is_named else row.tenant_id
    if row.between:
        classes += " mid"
    if row.condition is not None:
        classes += f" {row.condition.value}"
        title += f": {row.condition.label}"
    return Cell(element_id, classes, title, f"/tasks/{row.task_id}/" if row.task_id else "")


def wall_html(cells: Iterable[Cell]) -> SafeString:
    """All cells, one after the other."""
    return mark_safe("".join(map(_cell_html, cells)))


def _cell_html(cell: Cell) -> str:
    # A tenant id holds no character that an unquoted attribute could not.
    href = f" href={cell.href}" if cell.href else ""
    return f'<a class="{cell.classes}" id={cell.id}{href} title="{escape(cell.title)}"></a>'


def _shown(row: WallRow) -> str:
    if not row.name or row.name == row.tenant_id:
        return row.tenant_id
    name = row.name if len(row.name) <= NAME_MAX_CHARS else f"{row.name[:NAME_MAX_CHARS]}…"
    return f"{row.tenant_id} {name}"
