"""From a stage's commit to the changed cell in a browser, while 100 tenants a minute change."""

import json
import statistics

from rich.table import Table

from bench.installation import Installation, wait_for_port

TENANTS = 100
CALL_SECONDS = 0.4
CONCURRENCY = 4
"""Four tenants at once, each with six calls of 0.4 s: 100 a minute."""
SOCKETS = (0, 50)
LIMIT_MS = 250


def measure() -> Table:
    """A row for one page alone, and one for the same page beside many others."""
    table = Table(
        title=f"From commit to cell while {TENANTS} tenants change; limit {LIMIT_MS} ms (median)"
    )
    for column in ("open pages", "changes", "a minute", "median ms", "p95 ms", "worst ms"):
        table.add_column(column, justify="right")
    for column in ("worst socket ms", "web server MB"):
        table.add_column(column, justify="right")
    for sockets in SOCKETS:
        table.add_row(*_row(sockets))
    return table


def _row(sockets: int) -> list[str]:
    with Installation(latency_seconds=CALL_SECONDS) as place:
        place.start_engine(1, CONCURRENCY)
        port = place.start_web()
        wait_for_port(port)
        place.drive("tenants", str(TENANTS), str(place.port))
        plan = place.drive("create", str(TENANTS), str(CONCURRENCY), "BLUE_GREEN_SWITCH", "{}")
        before = place.usage(["web"]).peak_mb
        words = ("-m", "bench.watch", str(port), str(plan["plan"]), str(sockets))
        seen = json.loads(place.run(*words))
        after = place.usage(["web"]).peak_mb
    page = sorted(seen["page_ms"])
    assert len(page) == TENANTS, len(page)
    return [
        str(1 + sockets),
        str(len(page)),
        f"{(len(page) - 1) / seen['seconds'] * 60:.0f}",
        f"{statistics.median(page):.0f}",
        f"{statistics.quantiles(page, n=20)[-1]:.0f}",
        f"{page[-1]:.0f}",
        f"{max(seen['socket_ms']):.0f}" if sockets else "-",
        f"{before:.0f} → {after:.0f}",
    ]
