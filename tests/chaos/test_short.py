"""A few seconds of chaos, always the same: everything holds, whatever order things happen in."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.db import connection
from django.test import Client

from bluegreen.embedded_redis import EmbeddedRedis
from plans.models import Plan, Task, TaskState
from tests.chaos import people
from tests.chaos.database import Given
from tests.chaos.diary import Diary
from tests.chaos.installation import Installation, Scale
from tests.chaos.operators import Operators
from tests.chaos.run import Run
from tests.live.shown import ShownPlan
from tests.live.sockets import Socket, Sockets
from tests.support import database
from tests.support.environment import World
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SEED = 7
SECONDS = 7.0
SCALE = Scale(tenants=14, instances=1, threads=4, webs=1)
TENANTS = [f"tenant-{number:03}" for number in range(1, SCALE.tenants + 1)]
FLEET, SPARED = TENANTS[:12], TENANTS[12:]
"""What operators do everything to, and whom they leave alone."""
FAULTS = {
    "kill a worker",
    "freeze a worker",
    "kill a conductor",
    "Redis is emptied",
    "Redis restarts empty",
    "gateway resets after it acted",
    "OB service resets after it acted",
    "gateway answers 503",
    "gateway acts after the caller's time-out",
}
EQUAL_SECONDS = 60.0
FEW = 3
FEW_SECONDS = 120.0


@dataclass
class SocketPage:
    """A plan's page that lives of its frames alone, and comes back when its socket is lost."""

    sockets: Sockets
    client: Client
    plan: Plan
    shown: ShownPlan
    socket: Socket | None = None
    name: str = "the plan's page"

    def live(self) -> None:
        """Take what has come."""
        try:
            if self.socket is None:
                path = f"/ws/plans/{self.plan.pk}/?cursor={self.shown.cursor}"
                self.socket = self.sockets.watch(path, self.client)
            for frame in self.socket.waiting():
                self.shown.take(frame)
        except ConnectionError:
            self.socket = None

    def live_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.live()
            time.sleep(0.1)

    def differences(self) -> list[str]:
        until = time.monotonic() + EQUAL_SECONDS
        while True:
            self.live_for(0.3)
            found = self.shown.differences(ShownPlan.fresh(self.plan))
            if not found or time.monotonic() > until:
                return found


@pytest.fixture
def site(transactional_db: None, redis_server: str, tmp_path: Path) -> Iterator[Installation]:
    """Processes of everything on the test's database and Redis."""
    given = Given(database.url_of(connection.settings_dict))
    redis = EmbeddedRedis(Path(unquote(urlsplit(redis_server).path)).parent)
    with ExitStack() as stack:
        world = World(tmp_path, redis)
        stack.callback(lambda: [holder.close() for holder in world.reserved])
        started = Installation(tmp_path, given, SCALE, world.reserve_port, redis)
        stack.callback(started.stop)
        started.sandbox.enforce_fences()
        started.start()
        yield started


@pytest.fixture
def sockets(redis_server: str) -> Iterator[Sockets]:
    opened = Sockets()
    try:
        yield opened
    finally:
        opened.stop()


def live_until_broken(page: SocketPage, diary: Diary, seconds: float) -> None:
    """For so long, and until a few faults have been made: a busy machine makes them slowly."""
    page.live_for(seconds)
    until = time.monotonic() + FEW_SECONDS
    while sum(diary.faults.values()) < FEW and time.monotonic() < until:
        page.live_for(0.5)


def plan_of(tenants: list[str], operators: Operators) -> Plan | None:
    """Asked for again where nobody answered in time; the operators start it if need be."""
    plans = Plan.objects.filter(tasks__tenant=tenants[0])
    if not plans.exists():
        operators.create_and_start(tenants, maxConcurrency=3)
    return plans.first()


def spared_are_switched(operators: Operators) -> bool:
    plan_of(SPARED, operators)
    operators.let_go_on()
    completed = Task.objects.filter(tenant__in=SPARED, state=TaskState.COMPLETED)
    return completed.count() == len(SPARED)


def test_everything_holds_after_some_seconds_of_chaos(site: Installation, sockets: Sockets) -> None:
    token, (name, value) = people.make()
    diary = Diary()
    with Operators(site.urls, token, FLEET, random.Random(SEED), diary) as operators:
        site.sandbox.add_fault("*", "gateway.put_route", "latency", seconds=0.2)
        plan = wait_until(lambda: plan_of(FLEET[:6], operators), message="there is a plan")
        client = Client()
        client.cookies[name] = value
        page = SocketPage(sockets, client, plan, ShownPlan(plan))
        run = Run(site, operators, diary, SEED, FAULTS)
        run.break_for(SECONDS, lambda seconds: live_until_broken(page, diary, seconds))
        run.come_to_rest()
        report = run.report([page])
        assert report.holds, f"{report}\n" + "\n".join(diary.lines)
        assert sum(diary.faults.values()) >= FEW, report
        # By chance operators may have taken back all that they switched.
        wait_until(lambda: spared_are_switched(operators), FEW_SECONDS, "work is done afterwards")
