"""Slots, order, duplicates and waits with real workers, as the sandbox saw them (S3.1, S3.4)."""

import pytest
from redis import Redis

from plans import operations
from plans.engine import queue
from plans.models import Event, EventKind, PlanState, StageRun, Task
from tests.support.driving import OPERATOR, make_plan
from tests.support.sandbox import Sandbox, calls_of, max_in_flight, switches
from tests.support.waiting import wait_until
from tests.survive.crew import (
    LONG_LEASE_SECONDS,
    UNPARKED,
    Crew,
    assert_each_stage_ran_once,
    takeovers,
    wait_for_plan,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_slots_are_never_exceeded_fifo_keeps_its_order_and_waves_do_not_overlap(
    crew: Crew, sandbox: Sandbox
) -> None:
    tenants = [f"tenant-{n:03}" for n in range(1, 22)]
    waves = {"first": tenants[:4], "fifo": tenants[4:9], "last": tenants[9:]}
    sandbox.add_fault("*", "gateway.put_route", "latency", seconds=0.15)
    plan = make_plan(
        tenants,
        waves=[{"size": 4}, {"size": 5, "mode": "FIFO"}, {"rest": True}],
        max_concurrency=3,
        parameters=UNPARKED,
    )
    crew.workers(2, lease_seconds=LONG_LEASE_SECONDS)
    operations.start_plan(plan.pk, OPERATOR)
    wait_for_plan(plan, PlanState.COMPLETED)

    calls = [call for call in sandbox.calls() if call["tenant"] is not None]
    of_wave = {
        name: [call for call in calls if call["tenant"] in members]
        for name, members in waves.items()
    }
    assert max_in_flight(calls) <= 3
    assert max_in_flight(of_wave["last"]) > 1
    assert max_in_flight(of_wave["fifo"]) == 1
    begun = [call["tenant"] for call in calls_of(of_wave["fifo"], step="ob.get_tenant")]
    assert begun == waves["fifo"]
    # Not even the reading of a wave begins before the wave before it has ended.
    for earlier, later in (("first", "fifo"), ("fifo", "last")):
        ended = max(end for _, end in switches(of_wave[earlier]))
        assert min(call["started"] for call in of_wave[later]) >= ended


def test_a_task_that_is_delivered_twenty_times_runs_once(crew: Crew, sandbox: Sandbox) -> None:
    for step in ("ob.get_tenant", "gateway.put_route", "ob.put_status"):
        sandbox.add_fault("tenant-001", step, "latency", seconds=0.4)
    plan = make_plan(["tenant-001"], parameters=UNPARKED)
    crew.workers(2, lease_seconds=LONG_LEASE_SECONDS)
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get()
    with queue.connect() as client:
        for stage in ("read_tenant", "switch_route", "update_status"):
            # Begun, and on a busy machine perhaps over.
            wait_until(lambda stage=stage: has_begun(stage), message=stage)
            deliver_again(client, task.pk, 20)
            wait_until(lambda: queue.depth() == 0, message="all were delivered")
    wait_for_plan(plan, PlanState.COMPLETED)
    deliver_again_and_wait(task.pk)

    assert_each_stage_ran_once(plan)
    assert StageRun.objects.count() == 6
    assert Task.objects.get().lease_epoch == 1
    assert takeovers(plan) == []
    for step in ("ob.get_tenant", "gateway.put_route", "ob.put_status"):
        assert len(calls_of(sandbox.calls(), "tenant-001", step)) == 1


def has_begun(stage: str) -> bool:
    return f"{stage}-forward" in Task.objects.get().attempts


def deliver_again(client: Redis, task_id: int, times: int) -> None:
    """Put copies of the task's job into the queue, which `ring` itself would refuse to do."""
    queue.ring(task_id, connection=client)
    original = f"rq:job:task-{task_id}"
    fields = client.hgetall(original)
    for number in range(times):
        if fields:
            client.hset(f"{original}-{number}", mapping=fields)
            client.rpush(queue.QUEUE_KEY, f"task-{task_id}-{number}")


def deliver_again_and_wait(task_id: int) -> None:
    with queue.connect() as client:
        deliver_again(client, task_id, 20)
    wait_until(lambda: queue.depth() == 0, message="all were delivered")


def test_tasks_that_wait_hold_no_thread(crew: Crew, sandbox: Sandbox) -> None:
    count, threads, soak_seconds = 24, 2, 6
    plan = make_plan(
        [f"tenant-{n:03}" for n in range(1, count + 1)],
        executor_type="BLUE_GREEN_SWITCH_WITH_SOAK",
        parameters={"soak": {"seconds": soak_seconds}},
        max_concurrency=count,
    )
    crew.conductor()
    crew.worker(threads, LONG_LEASE_SECONDS)
    operations.start_plan(plan.pk, OPERATOR)
    wait_for_plan(plan, PlanState.COMPLETED)
    assert most_parked_at_once() > 2 * threads


def most_parked_at_once() -> int:
    """How many tasks soaked at the same moment, at most, by their stage runs."""
    changes = []
    for run in StageRun.objects.filter(stage="soak"):
        assert run.finished_at is not None
        changes += [(run.started_at, 1), (run.finished_at, -1)]
    assert Event.objects.filter(kind=EventKind.TASK_WAITING).count() >= len(changes) / 2
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
