"""A worker that was replaced writes nothing more, however it comes back."""

import time
from collections.abc import Callable

import pytest

from plans import conf, operations
from plans.engine import conductor, executor, lease, queue
from plans.engine.clock import in_seconds
from plans.engine.task_run import TaskRun
from plans.errors import AckTimeout, Superseded
from plans.message import Message
from plans.models import Control, Event, StageRun, Task
from plans.stages.base import Done, Wait
from plans.stores import tenant_config
from tests.support.driving import OPERATOR, make_plan, rung, work_off
from tests.support.sandbox import Sandbox
from tests.survive.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)


def _obey(run: TaskRun) -> None:
    run.task.control = Control.PAUSE
    run.stop()


def _error() -> AckTimeout:
    return AckTimeout(confirmed=0, total=1, version=1, seconds=1, instances={})


LATE: dict[str, Callable[[TaskRun], None]] = {
    "completes its stage": lambda run: run.advance(Done(), "READ"),
    "parks": lambda run: run.park(Wait(5, Message("waiting"))),
    "fails": lambda run: run.fail(_error(), None),
    "tries again": lambda run: run.try_again(_error(), 5, parked=True),
    "begins a try": lambda run: run.begin_again(),
    "obeys a pause": _obey,
}


@pytest.fixture
def replaced(sandbox: Sandbox) -> TaskRun:
    """The run of a worker whose task another one holds by now."""
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get()
    old = TaskRun.take(task.pk, "the old worker")
    assert old is not None
    lease.forget(old.lease)
    Task.objects.update(lease_expires_at=in_seconds(-1))
    new = TaskRun.take(task.pk, "the new worker")
    assert new is not None
    lease.forget(new.lease)
    return old


def everything() -> tuple[object, ...]:
    """All that the engine writes."""
    return (
        list(Task.objects.values_list()),
        list(StageRun.objects.values_list()),
        list(Event.objects.values_list()),
    )


@pytest.mark.parametrize("what", LATE)
def test_a_replaced_worker_that_comes_late_is_told_and_nothing_changes(
    what: str, replaced: TaskRun
) -> None:
    before = everything()
    with pytest.raises(Superseded):
        LATE[what](replaced)
    assert everything() == before


def test_a_replaced_worker_gives_back_no_lease_and_tells_no_progress(replaced: TaskRun) -> None:
    before = everything()
    replaced.give_back()
    replaced.note_progress()
    assert everything() == before


def test_the_heartbeat_extends_no_lease_that_another_worker_has(replaced: TaskRun) -> None:
    lease.keep(replaced.lease)
    before = everything()
    lease.extend_all(replaced.worker)
    assert everything() == before
    with pytest.raises(Superseded):
        replaced.lease.ensure()
    lease.forget(replaced.lease)


def test_the_bell_rings_as_soon_as_the_lease_of_a_worker_that_died_at_once_has_ended(
    replaced: TaskRun,
) -> None:
    with queue.connect() as client:
        client.delete(queue.QUEUE_KEY)
    conductor.ring_due()
    assert rung() == set()
    Task.objects.update(lease_expires_at=in_seconds(-1))
    conductor.ring_due()
    assert rung() == {replaced.task.pk}


def test_a_worker_knows_by_its_own_clock_that_its_lease_ran_out(replaced: TaskRun) -> None:
    asleep = lease.Lease(1, 1, time.monotonic() - conf.LEASE_SECONDS)
    with pytest.raises(Superseded):
        asleep.ensure()


def test_a_configuration_that_redis_lost_before_anyone_read_it_is_written_again(
    sandbox: Sandbox, redis_at_risk: RedisServer
) -> None:
    hang = sandbox.add_fault("tenant-001", "instance.apply", "hang")
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get()
    executor.run(task.pk, "a worker")  # It parks while it waits for the instances.
    assert Task.objects.get().step == "deliver_config"
    written = tenant_config.read("tenant-001")
    assert written is not None
    redis_at_risk.flush()
    sandbox.remove_fault(hang)

    work_off()

    assert Task.objects.get().state == "COMPLETED"
    again = tenant_config.read("tenant-001")
    assert again is not None
    assert again.version == written.version
    assert set(sandbox.versions("tenant-001")) == {str(written.version)}
