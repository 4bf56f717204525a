"""How soon other workers go on with what a killed one held."""

import os
import signal
import time
from statistics import median

from rich.table import Table

from bench.installation import Installation
from plans import conf

TENANTS = 400
CONCURRENCY = 32
KILLS = 5
LATENCY_SECONDS = 0.3
BETWEEN_KILLS = TENANTS // (KILLS + 1)
"""Tenants that are completed between two kills."""


def measure() -> Table:
    """One of two workers is killed, and another started, several times in one plan."""
    with Installation(latency_seconds=LATENCY_SECONDS) as place:
        place.start_engine(2, CONCURRENCY // 2)
        place.drive("tenants", str(TENANTS), str(place.port))
        plan = place.drive("create", str(TENANTS), str(CONCURRENCY), "BLUE_GREEN_SWITCH", "{}")
        place.drive("start", str(plan["plan"]))
        killed_at = {}
        for kill in range(KILLS):
            place.drive("completed", str(plan["plan"]), str((kill + 1) * BETWEEN_KILLS))
            pid = place.pid(f"worker-{kill}")
            os.kill(pid, signal.SIGKILL)
            killed_at[pid] = time.time()
            place.start_worker(kill + 2, CONCURRENCY // 2)
        done = place.drive("finish", str(plan["plan"]))
        taken = place.drive("takeovers", str(plan["plan"]))["takeovers"]
    assert done["state"] == "COMPLETED", done
    seconds = [takeover["at"] - killed_at[takeover["pid"]] for takeover in taken]
    table = Table(title=f"{KILLS} kills in a plan of {TENANTS}, lease {conf.LEASE_SECONDS:g} s")
    for column in ("takeovers", "median s", "worst s", "limit s"):
        table.add_column(column, justify="right")
    table.add_row(
        str(len(seconds)),
        f"{median(seconds):.1f}",
        f"{max(seconds):.1f}",
        f"{conf.LEASE_SECONDS + 2:g}",
    )
    return table
