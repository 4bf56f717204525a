"""500 tenants that wait 10 s between two stages, on one worker process with 4 threads."""

from rich.table import Table

from bench.installation import Installation

TENANTS = 500
WAIT_SECONDS = 10
THREADS = 4


def measure() -> Table:
    """Total time and memory, beside what holding a thread for each wait would take."""
    with Installation() as place:
        place.start_engine(1, THREADS)
        place.drive("tenants", str(TENANTS), str(place.port))
        parameters = f'{{"soak": {{"seconds": {WAIT_SECONDS}}}}}'
        plan = place.drive(
            "create", str(TENANTS), str(TENANTS), "BLUE_GREEN_SWITCH_WITH_SOAK", parameters
        )
        done = place.drive("run", str(plan["plan"]))
        used = place.usage(["worker"])
    assert done["state"] == "COMPLETED", done
    table = Table(title=f"{TENANTS} tenants wait {WAIT_SECONDS} s, {THREADS} threads")
    for column in ("total s", "with held threads s", "peak MB of the worker"):
        table.add_column(column, justify="right")
    held = TENANTS * WAIT_SECONDS / THREADS
    table.add_row(f"{done['seconds']:.1f}", f"at least {held:.0f}", f"{used.peak_mb:.0f}")
    return table
