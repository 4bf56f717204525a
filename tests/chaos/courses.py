"""What can be done to an installation: everything at once, or one thing that gives a figure."""

import os
import random
from collections.abc import Callable

from tests.chaos import endurance, kills, pace, people
from tests.chaos.diary import Diary
from tests.chaos.installation import LEASE_SECONDS, Installation
from tests.chaos.operators import Operators
from tests.chaos.run import Report, Run

WORLD_SECONDS = 0.4
"""How long each of the services around takes at least: so that a process can die in the middle."""
KILLS_WORLD_SECONDS = 1.0
"""Longer where so many kills are to happen in one plan."""
FIRST_TENANTS = 10


def everything(site: Installation, diary: Diary, seed: int) -> Report:
    """Every fault in random order, operators, and pages that are open all the time."""
    seconds = float(os.environ.get("CHAOS_SECONDS") or 80)
    tenants = [f"tenant-{number:03}" for number in range(1, site.scale.tenants + 1)]
    token, cookie = people.make()
    site.start()
    with Operators(site.urls, token, tenants, random.Random(f"{seed} people"), diary) as operators:
        few = tenants[:FIRST_TENANTS]
        plan = operators.create_and_start(few, maxConcurrency=4, failurePolicy="continue")
        assert plan is not None, "the first plan could not be made"
        with people.watching(site.urls[0], cookie, plan) as (pages, wait):
            slow_down(site)
            run = Run(site, operators, diary, seed)
            run.break_for(seconds, wait)
            run.come_to_rest()
            return run.report(pages)


def many_kills(site: Installation, diary: Diary, seed: int) -> Report:
    """Somebody is killed again and again in the middle of plans of many tenants."""
    slow_down(site, KILLS_WORLD_SECONDS)
    times = int(os.environ.get("CHAOS_KILLS") or kills.KILLS)
    return _measured(site, diary, seed, lambda: kills.measure(site, diary, _chance(seed), times))


def with_faults(site: Installation, diary: Diary, seed: int) -> Report:
    """One plan without faults, and one with."""
    slow_down(site)
    return _measured(site, diary, seed, lambda: pace.measure(site, diary, _chance(seed)))


def many_tasks(site: Installation, diary: Diary, seed: int) -> Report:
    """Tens of thousands of tasks, and nothing is broken."""
    tasks = int(os.environ.get("CHAOS_TASKS") or endurance.TASKS)
    return _measured(site, diary, seed, lambda: endurance.measure(site, diary, tasks))


def slow_down(site: Installation, seconds: float = WORLD_SECONDS) -> None:
    """Let the services around take a while for each call."""
    for step in ("ob.get_tenant", "gateway.put_route", "ob.put_status"):
        site.sandbox.add_fault("*", step, "latency", seconds=seconds)


def _measured(
    site: Installation, diary: Diary, seed: int, measure: Callable[[], list[str]]
) -> Report:
    """The figures, with the verdicts of what was not about pages."""
    token, _cookie = people.make()
    site.start()
    with Operators(site.urls, token, [], _chance(seed), diary) as operators:
        figures = measure()
        run = Run(site, operators, diary, seed)
        site.mend()
        run.come_to_rest()
        report = run.report(None)
    report.figures += [*figures, f"the lease is {LEASE_SECONDS:g} s"]
    return report


def _chance(seed: int) -> random.Random:
    return random.Random(f"{seed} figures")


COURSES: dict[str, Callable[[Installation, Diary, int], Report]] = {
    "all": everything,
    "kills": many_kills,
    "pace": with_faults,
    "endurance": many_tasks,
}
