"""CPU and memory of processes, read from /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of several processes together: CPU seconds so far, and peak resident memory in MB."""

    cpu_seconds: float
    peak_mb: float


def usage(pids: Iterable[int]) -> Usage:
    """What the processes have used; one that is gone counts nothing."""
    cpu = peak_kb = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            status = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        peak_kb += int(status.split("VmHWM:")[1].split()[0])
    return Usage(cpu, peak_kb / 1024)
