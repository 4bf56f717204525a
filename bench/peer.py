"""Four calls a tenant, on Bluegreen and on DBOS, in turns: the same stub, database and concurrency.

DBOS is no dependency: `BENCH_PEER_PYTHON` names a Python of yours that has `dbos` and `httpx`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from rich.table import Table

from bench.installation import Installation
from bench.switching import (
    CONCURRENCY,
    FOUR_CALLS,
    LATENCIES_SECONDS,
    TENANTS,
    WORKERS,
    database_url,
    switch,
)

PROGRAM = Path(__file__).with_name("dbos_four_calls.py")


def measure() -> Table:
    """A row for each database, latency and number of processes."""
    python = os.environ.get("BENCH_PEER_PYTHON")
    if not python:
        return _left_out()
    table = Table(title=f"{TENANTS} tenants, four steps of one call, concurrency {CONCURRENCY}")
    for column in ("database", "latency ms", "processes", "tenants/s", "DBOS/s", "ratio"):
        table.add_column(column, justify="right")
    for column in ("CPU ms/tenant", "DBOS CPU ms", "peak MB", "DBOS MB"):
        table.add_column(column, justify="right")
    for database in ("sqlite", "postgresql"):
        for latency in LATENCIES_SECONDS:
            for processes in WORKERS:
                with database_url(database) as url:
                    if url is None:
                        continue
                    table.add_row(
                        database,
                        f"{latency * 1000:.0f}",
                        str(processes),
                        *_row(python, url, latency, processes),
                    )
    return table


def _left_out() -> Table:
    table = Table(title="peer")
    table.add_column("left out")
    table.add_row("BENCH_PEER_PYTHON names no Python with dbos and httpx")
    return table


def _row(python: str, url: str, latency: float, processes: int) -> list[str]:
    with Installation(url, latency) as place:
        place.offer(FOUR_CALLS)
        speed, cpu, peak = switch(place, processes, "FOUR_CALLS")
    with Installation(url, latency) as place:
        peer_speed, peer_cpu, peer_peak = _on_dbos(python, place, url, processes)
    ratio = f"{float(speed) / peer_speed:.2f}"
    return [speed, f"{peer_speed:.0f}", ratio, cpu, f"{peer_cpu:.1f}", peak, f"{peer_peak:.0f}"]


def _on_dbos(
    python: str, place: Installation, url: str, processes: int
) -> tuple[float, float, float]:
    """Tenants per second, CPU milliseconds a tenant, peak megabytes."""
    share = TENANTS // processes
    running = []
    for number in range(processes):
        words = [str(place.port), _dbos_url(place, url), str(number * share)]
        words += [str((number + 1) * share), str(CONCURRENCY // processes)]
        running.append(
            subprocess.Popen(
                [python, PROGRAM, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        # One after the other: the first one makes its tables.
        if running[-1].stdout.readline() != "ready\n":
            sys.exit(f"{python} {PROGRAM} did not start; does it have dbos and httpx?")
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [json.loads(process.stdout.readline()) for process in running]
    for process in running:
        process.wait()
    seconds = max(each["seconds"] for each in said)
    cpu = sum(each["cpu_seconds"] for each in said) / TENANTS * 1000
    return TENANTS / seconds, cpu, sum(each["peak_mb"] for each in said)


def _dbos_url(place: Installation, url: str) -> str:
    """The address of a database of its own, as SQLAlchemy writes it."""
    if not url:
        return f"sqlite:///{place.folder / 'dbos.sqlite3'}"
    parts = urlsplit(url)
    [folder] = parse_qs(parts.query)["host"]
    return f"postgresql://{parts.username}@/dbos?host={folder}"
