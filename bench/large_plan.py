"""A plan of 5,000 tenants: creation with validation, and what its page costs."""

import json

from rich.table import Table

from bench.installation import Installation, wait_for_port

TENANTS = 5000
READINGS = 5


def measure() -> Table:
    """Creation and page, each against its limit."""
    with Installation() as place:
        place.drive("tenants", str(TENANTS), str(place.port))
        created = place.drive("create", str(TENANTS), "50", "BLUE_GREEN_SWITCH", "{}")
        web = place.start_web()
        wait_for_port(web)
        page = json.loads(
            place.run("-m", "bench.visit", str(web), f"/plans/{created['plan']}/", str(READINGS))
        )
    table = Table(title=f"A plan of {TENANTS} tenants")
    for column in ("what", "measured", "limit"):
        table.add_column(column, justify="right")
    table.add_row("create with validation, s", f"{created['seconds']:.2f}", "5")
    table.add_row("plan page, median ms", f"{page['median_seconds'] * 1000:.0f}", "500")
    table.add_row("plan page, kB of HTML", f"{page['bytes'] / 1000:.0f}", "600")
    return table
