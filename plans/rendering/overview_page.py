"""The live regions of the overview."""

from plans.queries import fleet, gates, overview, paces
from plans.queries.fleet import Fleet
from plans.rendering.alarms import alarms
from plans.rendering.regions import Region


def overview_regions(figures: Fleet | None = None) -> list[Region]:
    """The counts (`figures`, else those of the whole fleet), what needs somebody, what is under
    way.
    """
    needs = {
        "alarms": alarms(),
        "gates": gates.awaiting_approval(overview.ROWS_MAX),
        "failed": overview.failed_plans(),
        "halted": overview.halted_plans(),
    }
    rows = overview.plans_under_way()
    known = paces.paces_of(rows)
    under_way = [(row, known.get(row.plan.pk)) for row in rows]
    return [
        Region("plans/_overview_counts.html", {"fleet": figures or fleet.whole()}),
        Region("plans/_overview_needs.html", needs),
        Region("plans/_overview_plans.html", {"rows": under_way}),
    ]
