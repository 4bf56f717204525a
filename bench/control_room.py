"""The wall at 10,000 tenants, a storm of changes on it, and 200 sockets on one plan meanwhile."""

import json

from rich.table import Table

from bench.installation import Installation, wait_for_port

TENANTS = 10_000
READINGS = 5
SOCKETS = 200
CHANGES = 3000
PER_SECOND = 200


def measure() -> Table:
    """Each figure beside its limit."""
    table = Table(title=f"The control room with {TENANTS} tenants; {PER_SECOND} changes a second")
    for column in ("what", "measured", "limit"):
        table.add_column(column, justify="right")
    with Installation() as place:
        place.drive("tenants", str(TENANTS), str(place.port))
        plan = place.drive("create", str(TENANTS), "50", "BLUE_GREEN_SWITCH", "{}")["plan"]
        port = place.start_web()
        wait_for_port(port)
        wall = json.loads(place.run("-m", "bench.visit", str(port), "/", str(READINGS)))
        table.add_row("wall, median ms", f"{wall['median_seconds'] * 1000:.0f}", "700")
        table.add_row("wall, kB of HTML", f"{wall['bytes'] / 1000:.0f}", "1000")
        words = (str(port), str(plan), str(CHANGES), str(PER_SECOND))
        seen = json.loads(place.run("-m", "bench.watch_storm", *words))
        table.add_row("wall, ms until it can be used", f"{seen['interactive_ms']:.0f}", "2000")
        table.add_row("wall, ms until it is live", f"{seen['live_ms']:.0f}", "")
        table.add_row("storm, changes a second", f"{seen['per_second']:.0f}", f"{PER_SECOND}")
        table.add_row("wall's main thread, % busy", f"{seen['busy_percent']:.0f}", "50")
        table.add_row("last change visible after ms", f"{seen['last_ms']:.0f}", "1000")
        before = place.usage(["web"]).peak_mb
        heard = json.loads(place.run("-m", "bench.watch_sockets", *words, str(SOCKETS)))
        after = place.usage(["web"]).peak_mb
        table.add_row(f"{SOCKETS} sockets: changes a second", f"{heard['per_second']:.0f}", "")
        table.add_row("messages to each (least)", f"{heard['messages']}", "")
        table.add_row("worst lag, ms", f"{heard['worst_ms']:.0f}", "2000")
        table.add_row("web server, MB more", f"{after - before:.0f}", "100")
    return table
