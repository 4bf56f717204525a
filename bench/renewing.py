"""Renewal of 100,000 keys by one process: steady, at saturation, and with slow answers."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.installation import Installation, free_port, wait_for_port
from bench.measuring import TICKS_PER_SECOND

KEYS = 100_000
SETTLE_SECONDS = 8.0
"""Starting, loading and the first look at every key are not counted."""
MEASURE_SECONDS = 20.0
BARE_SECONDS = 5.0
SLOW_SHARE, SLOW_SECONDS = 0.05, 0.2
WORST_MS = 500
SHARE_OF_BARE = 0.7
KEY_BYTES_MAX = 1000


@dataclass(frozen=True)
class Case:
    """What is asked of the process."""

    title: str
    ttl_seconds: float
    interval_seconds: float
    is_slow: bool = False


CASES = (
    Case("TTL 60 s, interval 20 s", 60, 20),
    Case("the same, 5 % of answers 200 ms late", 60, 20, is_slow=True),
    Case("saturation: interval 0.5 s", 20, 0.5),
)


def measure() -> Table:
    """One row a case."""
    table = Table(title=f"One renewal process, {KEYS:,} keys")
    for column in ("case", "renewals/s", "CPU %", "worst ms", "late", "bytes a key", "bare/s"):
        table.add_column(column, justify="left" if column == "case" else "right")
    table.add_column("of bare", justify="right")
    for case in CASES:
        table.add_row(*_row(case))
    table.caption = (
        f"limits: worst {WORST_MS} ms with slow answers; {SHARE_OF_BARE:.0%} of bare at "
        f"saturation; {KEY_BYTES_MAX} bytes a key"
    )
    return table


def _row(case: Case) -> list[str]:
    with Installation() as place:
        bare = _drive(place, "bare", str(KEYS), str(BARE_SECONDS))["rate"]
        if case.is_slow:
            port = free_port()
            slow = (str(place.redis.socket_path), str(SLOW_SHARE), str(SLOW_SECONDS))
            place.start("proxy", "-m", "bench.slow_redis", str(port), *slow)
            wait_for_port(port)
            place.env["TENANT_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        process = place.start("renewals", "manage.py", "renewals")
        _wait_for_beat(place)
        empty = _resident_bytes(process.pid)
        words = (str(KEYS), str(case.ttl_seconds), str(case.interval_seconds))
        _drive(place, "begin", *words)
        time.sleep(SETTLE_SECONDS)
        before, cpu = _drive(place, "figures"), _cpu_seconds(process.pid)
        began = time.monotonic()
        time.sleep(MEASURE_SECONDS)
        after = _drive(place, "figures")
        cpu = (_cpu_seconds(process.pid) - cpu) / (time.monotonic() - began)
        full = _resident_bytes(process.pid)
    rate = (after["renewed"] - before["renewed"]) / (after["seen"] - before["seen"])
    return [
        case.title,
        f"{rate:,.0f}",
        f"{cpu:.0%}",
        f"{after['worst_ms']:,.0f}",
        f"{after['late'] - before['late']:,.0f}",
        f"{(full - empty) / KEYS:,.0f}",
        f"{bare:,.0f}",
        f"{rate / bare:.0%}",
    ]


def _wait_for_beat(place: Installation) -> None:
    deadline = time.monotonic() + 30
    while "seen" not in _drive(place, "figures"):
        if time.monotonic() > deadline:
            raise TimeoutError("the renewal process does not start")
        time.sleep(0.1)


def _drive(place: Installation, *words: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(place.run("-m", "bench.renewal_drive", *words))
    return found


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
