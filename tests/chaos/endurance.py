"""Figure: tens of thousands of tasks through one installation, and each process's memory."""

import time
from pathlib import Path

from plans.models import Task
from tests.chaos.diary import Diary
from tests.chaos.installation import Installation
from tests.chaos.kills import is_under_way, start

TASKS = 24_000
PLAN_SECONDS = 600.0
WARM_SHARE = 0.25
"""After this share of the tasks what a process keeps for good is there."""


def measure(site: Installation, diary: Diary, tasks: int = TASKS) -> list[str]:
    """Lines: how many a second, and each process's memory when warm and at the end."""
    began = time.monotonic()
    warm: dict[str, float] = {}
    done, number = 0, 0
    while done < tasks:
        plan = start(site.scale.tenants, ("green", "blue")[number % 2])
        late = time.monotonic() + PLAN_SECONDS
        while is_under_way(plan):
            assert time.monotonic() < late, f"plan {plan.pk} does not end: look at {site.folder}"
            time.sleep(0.2)
        number += 1
        done = Task.objects.filter(state="COMPLETED").count()
        now = memory(site)
        diary.tell(f"{done} tasks, {time.monotonic() - began:.0f} s, MB: {now}")
        if not warm and done >= tasks * WARM_SHARE:
            warm = now
    seconds = time.monotonic() - began
    lines = [f"{done} tasks in {seconds:.0f} s, {done / seconds:.0f} a second; resident MB:"]
    last = memory(site)
    for name, megabytes in last.items():
        lines.append(f"  {name}: {warm[name]:.1f} when warm, {megabytes:.1f} at the end")
    return lines


def memory(site: Installation) -> dict[str, float]:
    """Resident megabytes by process."""
    return {member.name: _resident_mb(member.process.pid) for member in site.members}


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)
