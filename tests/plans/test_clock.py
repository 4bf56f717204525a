"""Machines whose clocks differ agree on how long something takes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from plans.engine import clock
from plans.engine import lease as leases
from plans.engine.task_run import TaskRun
from plans.message import Message
from plans.stages.base import Done, Wait
from tests.plans.rows import make_rows
from tests.support.driving import WORKER
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_stage_that_another_machine_goes_on_with_is_as_old_as_it_is(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, [task] = make_rows("RUNNING", "RUNNING", admitted=True)
    begun = TaskRun.take(task.pk, WORKER)
    assert begun
    begun.park(Wait(0, Message("a moment")))
    leases.forget(begun.lease)

    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    monkeypatch.setattr(clock, "_told", None)
    taken = wait_until(lambda: TaskRun.take(task.pk, "another machine"))
    assert taken
    leases.forget(taken.lease)
    assert abs(taken.elapsed_seconds) < 600
    taken.advance(Done(), "READ")

    ended = task.stage_runs.exclude(finished_at=None).get()
    assert timedelta(0) <= ended.finished_at - ended.started_at < timedelta(minutes=10)
