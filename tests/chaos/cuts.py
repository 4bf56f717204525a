"""What happens on several machines while one of them is cut off. Import it inside a rig."""

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass

import django

django.setup()

from django.core.management import call_command  # noqa: E402  Django comes first
from django.db import connection, connections  # noqa: E402

from plans import operations  # noqa: E402
from plans.models import Event, Plan, PlanState, Task  # noqa: E402
from plans.stores import tenant_config  # noqa: E402
from tests.chaos import people  # noqa: E402
from tests.chaos.checker import check  # noqa: E402
from tests.chaos.evidence import Evidence, Page  # noqa: E402
from tests.chaos.forks import Fork  # noqa: E402
from tests.chaos.invariants.pages import TITLE as PAGES  # noqa: E402
from tests.chaos.network import EVERYWHERE, Machine  # noqa: E402
from tests.chaos.rig import HTTP_TIMEOUT_SECONDS, LEASE_SECONDS, WEB_PORT, Rig, answers  # noqa: E402
from tests.support.driving import OPERATOR, make_plan  # noqa: E402
from tests.support.processes import RunningProcess  # noqa: E402
from tests.support.waiting import wait_until  # noqa: E402
from tests.survive.crew import leads, wait_for_plan  # noqa: E402

FLEET = [f"tenant-{n:03}" for n in range(1, 31)]
ALONE = [f"tenant-{n:03}" for n in range(31, 39)]
PLAN = "While a machine is cut off"
PATIENCE_SECONDS = 120.0
LATENCY_SECONDS = 0.5
CUT_SECONDS = LEASE_SECONDS + HTTP_TIMEOUT_SECONDS + 4
"""At least: who is cut off has lost its leases, and given up what it began while it had them."""
CRASHES = 1
"""To the tasks of the worker that is cut off it is as if it had crashed, once."""

CUTS: dict[str, Callable[[Rig], str]] = {
    "everything": lambda rig: EVERYWHERE,
    "redis": lambda rig: rig.data.second_address,
    "database": lambda rig: rig.data.address,
}
"""Which addresses the far machine cannot reach any more."""


@dataclass(frozen=True)
class Times:
    """Seconds, from the cut and from its end."""

    led: float
    completed: float
    recovered: float

    def __str__(self) -> str:
        return (
            f"after the cut the near conductor led within {self.led:.1f} s, and the plan was "
            f"complete after {self.completed:.1f} s; healed, the far machine led again and had "
            f"done a plan alone after {self.recovered:.1f} s"
        )


class CutOff:
    """The far machine leads, works, and has the pages; it is cut off, the near one finishes the
    plan, it is healed, and then does all of another plan alone, without having been restarted."""

    def __init__(self, rig: Rig, lost: str) -> None:
        self.rig = rig
        self.lost = lost

    def run(self) -> Times:
        """Raises AssertionError where something does not come to its end, or was lost."""
        rig = self.rig
        call_command("migrate", verbosity=0)
        _token, cookie = people.make()
        rig.sandbox.enforce_fences()
        rig.sandbox.add_fault("*", "gateway.put_route", "latency", seconds=LATENCY_SECONDS)
        self.start()
        plan = make_plan(FLEET, name=PLAN, waves=[{"size": 10}, {"rest": True}], max_concurrency=10)
        with people.watching(rig.web_url, cookie, plan.pk) as (pages, _wait):
            operations.start_plan(plan.pk, OPERATOR)
            self.cut_off()
            cut_at = time.monotonic()
            self.wait_until_it_leads(self.near_conductor)
            led = time.monotonic() - cut_at
            wait_for_plan(plan, PlanState.COMPLETED, PATIENCE_SECONDS)
            completed = time.monotonic() - cut_at
            wait_until(lambda: time.monotonic() - cut_at > CUT_SECONDS, 2 * CUT_SECONDS)
            rig.network.heal(rig.far.subnet, self.lost)
            healed_at = time.monotonic()
            self.leave(self.near_worker, self.near_conductor)
            self.wait_until_it_leads(self.far_conductor)
            alone = make_plan(ALONE, max_concurrency=4)
            operations.start_plan(alone.pk, OPERATOR)
            wait_for_plan(alone, PlanState.COMPLETED, PATIENCE_SECONDS)
            times = Times(led, completed, time.monotonic() - healed_at)
            self.nothing_arrived_late(healed_at)
            self.ask_the_checker(pages)
        self.leave(self.far_worker, self.far_conductor, self.web)
        return times

    def start(self) -> None:
        """All processes; the far conductor leads."""
        rig = self.rig
        self.web = rig.web(rig.far)
        self.far_conductor = self.fork(rig.far, "conductor")
        self.far_worker = self.fork(rig.far, "worker")
        self.wait_until_it_leads(self.far_conductor)
        self.near_conductor = self.fork(rig.near, "conductor")
        self.near_worker = self.fork(rig.near, "worker")
        for worker in (self.far_worker, self.near_worker):
            worker.wait_for_log("runs up to")
        wait_until(lambda: answers(rig.far.address, WEB_PORT), PATIENCE_SECONDS, "the web answers")

    def cut_off(self) -> None:
        """Cut the far machine off while its worker has tasks."""
        mine = Task.objects.filter(lease_owner__contains=f":{self.far_worker.pid}:")
        wait_until(lambda: mine.count() >= 2, PATIENCE_SECONDS, "the far worker has tasks")
        self.rig.network.cut(self.rig.far.subnet, self.lost)

    def nothing_arrived_late(self, healed_at: float) -> None:
        """What was on its way when the machine was cut off is gone, and not only delayed."""
        old = f":{self.far_worker.pid}:"
        mine = Event.objects.filter(actor__contains=old, epoch__isnull=False)
        held = set(mine.filter(plan__name=PLAN).values_list("tenant_id", "epoch"))
        calls = self.rig.sandbox.calls()
        late = [c for c in calls if c["started"] > healed_at and (c["tenant"], c["fence"]) in held]
        assert late == [], f"calls from before the cut arrived after it: {late}"

    def leave(self, *processes: RunningProcess) -> None:
        """SIGTERM; they are still there, and leave in order."""
        for process in processes:
            assert process.is_running, f"{process.name} has ended"
            process.terminate()
        for process in processes:
            assert process.wait(PATIENCE_SECONDS) == 0, f"{process.name} has not left in order"

    def wait_until_it_leads(self, conductor: RunningProcess) -> None:
        wait_until(lambda: leads(conductor), PATIENCE_SECONDS, f"{conductor.name} leads")

    def ask_the_checker(self, pages: Collection[Page]) -> None:
        plans = Plan.objects.values_list("pk", flat=True)
        configs = {tenant: tenant_config.read(tenant) for tenant in FLEET + ALONE}
        calls, tenants = self.rig.sandbox.calls(), self.rig.sandbox.state()["tenants"]
        verdicts = check(
            Evidence.gather(plans, calls, tenants, CRASHES, configs=configs, pages=pages)
        )
        for verdict in verdicts:
            print(verdict)
        # Without a browser on this machine no page was open; the others are decided all the same.
        asked = [verdict for verdict in verdicts if pages or verdict.title != PAGES]
        assert all(verdict.holds for verdict in asked), "the checker has found something"

    def fork(self, machine: Machine, command: str) -> RunningProcess:
        name = f"{command}-{machine.name}"
        process = Fork(name, machine, self.rig.folder / f"{name}.log", command)
        self.rig.processes.append(process)
        return process


def run(name: str, rig: Rig) -> None:
    """Run the scenario, and print what was seen; raises AssertionError."""
    with ExitStack() as stack:
        stack.callback(connections.close_all)
        try:
            print(CutOff(rig, CUTS[name](rig)).run())
        except AssertionError:
            print(sessions())
            raise


def sessions() -> str:
    """What PostgreSQL says of its sessions: who waits for whom."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, client_addr, state, wait_event, now() - xact_start, pg_blocking_pids(pid),"
            " left(query, 100) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
