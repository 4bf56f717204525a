"""What a feed reads of the database does not grow with those who watch."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from plans import operations
from plans.live import reading
from plans.live.plan_source import PlanSource
from plans.live.source import Reading
from plans.models import Plan
from plans.rendering.cursors import plan_cursor
from plans.stores import doorbell
from tests.live.sockets import WAIT_SECONDS, Socket, Sockets
from tests.support.driving import OPERATOR, make_plan
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
CHANGES = 6


class Statements:
    """Counts what the feeds' threads ask the database, and for how many rounds."""

    def __init__(self) -> None:
        self.count = 0
        self.looks = self.rounds = 0

    @property
    def a_round(self) -> float:
        """Statements of one round that finds something, beside its look."""
        return (self.count - self.looks) / self.rounds

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.count += 1
        return execute(*statement)


@contextmanager
def counted(sockets: Sockets) -> Iterator[Statements]:
    statements = Statements()
    read = PlanSource.read

    def counting(source: PlanSource, *args: Any) -> Reading:
        reading = read(source, *args)
        statements.looks += 1
        statements.rounds += reading.has_rendered
        return reading

    in_every_thread(sockets, lambda: connection.execute_wrappers.append(statements))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PlanSource, "read", counting)
            yield statements
    finally:
        in_every_thread(sockets, lambda: connection.execute_wrappers.remove(statements))


def in_every_thread(sockets: Sockets, work: Callable[[], None]) -> None:
    async def everywhere() -> None:
        barrier = threading.Barrier(reading.THREADS)

        def once() -> None:
            barrier.wait(WAIT_SECONDS)
            work()

        await asyncio.gather(*(reading.in_database(once) for _ in range(reading.THREADS)))

    sockets.run(everywhere())


def test_a_round_for_20_viewers_costs_the_reads_of_one(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    operations.start_plan(plan.pk, OPERATOR)
    doorbell.flush(5)
    reads = {}
    watching: list[Socket] = []
    for viewers in (1, 20):
        path = f"/ws/plans/{plan.pk}/?cursor={plan_cursor(plan)}"
        more = [sockets.watch(path, viewer) for _ in range(viewers - len(watching))]
        for socket in more:
            socket.receive()
        watching += more
        with counted(sockets) as statements:
            for number in range(CHANGES):
                act = operations.resume_plan if number % 2 else operations.pause_plan
                act(plan.pk, OPERATOR)
                doorbell.flush(5)
                cursor = int(plan_cursor(Plan.objects.get(pk=plan.pk)))
                for socket in watching:
                    while int(socket.receive()["cursor"]) < cursor:
                        pass
        reads[viewers] = statements.a_round
    # Who is late is looked after in the same round: that may be a statement or two.
    assert 0 < reads[20] < 1.5 * reads[1]
