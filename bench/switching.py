"""300 tenants through the whole switch, and through four calls: databases × latency × workers."""

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
FOUR_CALLS = """\
[bluegreen.stages]
get_tenant = bench.four_calls:GetTenant
get_route = bench.four_calls:GetRoute
put_route = bench.four_calls:PutRoute
put_status = bench.four_calls:PutStatus

[bluegreen.pipelines]
FOUR_CALLS = bench.four_calls:PIPELINE
"""


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


def measure_four_calls() -> Table:
    """The same for the job that other engines were measured with."""
    table = Table(title=f"{TENANTS} tenants, four steps of one call, concurrency {CONCURRENCY}")
    for column in ("database", "latency ms", "workers", "tenants/s", "CPU ms/tenant", "peak MB"):
        table.add_column(column, justify="right")
    for database in ("sqlite", "postgresql"):
        for latency in LATENCIES_SECONDS:
            for workers in WORKERS:
                with database_url(database) as url:
                    if url is None:
                        continue
                    with Installation(url, latency) as place:
                        place.offer(FOUR_CALLS)
                        cells = switch(place, workers, "FOUR_CALLS")
                    table.add_row(database, f"{latency * 1000:.0f}", str(workers), *cells)
    return table


def switch(place: Installation, workers: int, executor_type: str) -> tuple[str, str, str]:
    """Tenants per second, CPU milliseconds a tenant, peak megabytes."""
    place.start_engine(workers, CONCURRENCY // workers)
    place.drive("tenants", str(TENANTS), str(place.port))
    plan = place.drive("create", str(TENANTS), str(CONCURRENCY), executor_type, "{}")
    before = place.usage()
    done = place.drive("run", str(plan["plan"]))
    after = place.usage()
    assert done["state"] == "COMPLETED", done
    cpu = (after.cpu_seconds - before.cpu_seconds) / TENANTS * 1000
    return f"{TENANTS / done['seconds']:.0f}", f"{cpu:.1f}", f"{after.peak_mb:.0f}"


def _row(database: str, url: str, latency: float, workers: int) -> list[str]:
    with Installation(url, latency) as place:
        speed, cpu, peak = switch(place, workers, "BLUE_GREEN_SWITCH")
        bare = json.loads(place.run("-m", "bench.bare", str(TENANTS), str(CONCURRENCY)))
    bare_speed = TENANTS / bare["seconds"]
    return [
        database,
        f"{latency * 1000:.0f}",
        str(workers),
        speed,
        f"{bare_speed:.0f}",
        f"{float(speed) / bare_speed:.2f}",
        cpu,
        f"{bare['cpu_seconds'] / TENANTS * 1000:.1f}",
        peak,
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
