"""300 tenants through the whole switch: databases × latency × worker processes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from rich.table import Table

from bench.installation import Installation
from scripts import private_postgres

TENANTS = 300
CONCURRENCY = 32
LATENCIES_SECONDS = (0.0, 0.05)
WORKERS = (1, 2)


def measure() -> Table:
    """One table, with the bare loop of the same run beside each figure."""
    table = Table(title=f"{TENANTS} tenants, concurrency {CONCURRENCY}")
    for column in ("database", "latency ms", "workers", "tenants/s", "bare loop/s", "ratio"):
        table.add_column(column, justify="right")
    for column in ("CPU ms/tenant", "bare CPU ms", "peak MB"):
        table.add_column(column, justify="right")
    for database in ("sqlite", "postgresql"):
        for latency in LATENCIES_SECONDS:
            for workers in WORKERS:
                with database_url(database) as url:
                    if url is None:
                        continue
                    table.add_row(*_row(database, url, latency, workers))
    return table


def _row(database: str, url: str, latency: float, workers: int) -> list[str]:
    with Installation(url, latency) as place:
        place.start_engine(workers, CONCURRENCY // workers)
        place.drive("tenants", str(TENANTS), str(place.port))
        plan = place.drive("create", str(TENANTS), str(CONCURRENCY), "BLUE_GREEN_SWITCH", "{}")
        before = place.usage()
        done = place.drive("run", str(plan["plan"]))
        after = place.usage()
        bare = json.loads(place.run("-m", "bench.bare", str(TENANTS), str(CONCURRENCY)))
    assert done["state"] == "COMPLETED", done
    speed, bare_speed = TENANTS / done["seconds"], TENANTS / bare["seconds"]
    return [
        database,
        f"{latency * 1000:.0f}",
        str(workers),
        f"{speed:.0f}",
        f"{bare_speed:.0f}",
        f"{speed / bare_speed:.2f}",
        f"{(after.cpu_seconds - before.cpu_seconds) / TENANTS * 1000:.1f}",
        f"{bare['cpu_seconds'] / TENANTS * 1000:.1f}",
        f"{after.peak_mb:.0f}",
    ]


@contextmanager
def database_url(database: str) -> Iterator[str | None]:
    """A `DATABASE_URL` for a run; "" is SQLite; None where there is no PostgreSQL."""
    if database == "sqlite":
        yield ""
        return
    programs = private_postgres.find_programs()
    if programs is None:
        yield None
        return
    with private_postgres.cluster(programs, private_postgres.SAFE) as url:
        yield url
