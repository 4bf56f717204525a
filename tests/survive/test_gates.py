"""Gates and the global stop with real processes that are killed, and a Redis that is emptied."""

import pytest
import redis

from plans import operations
from plans.actor import Actor, Permission
from plans.models import Leadership, Plan, PlanState, Task, Wave
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until
from tests.survive.crew import FINISH_SECONDS, SHORT_LEASE

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ANA = Actor("ana", frozenset(Permission))


def state() -> str:
    return str(Plan.objects.get().state)


def gate_is_closed() -> bool:
    return Wave.objects.get(index=0).gate_closed_at is not None


def test_a_gate_opens_though_everybody_who_knew_of_it_was_killed(
    sandbox: Sandbox, processes: Processes
) -> None:
    gate = {"size": 1, "soak_seconds": 1, "approval": True}
    plan = make_plan(["tenant-001", "tenant-002"], waves=[gate, {"rest": True}])
    conductor, worker = processes.conductor(**SHORT_LEASE), processes.worker(**SHORT_LEASE)
    operations.start_plan(plan.pk, OPERATOR)
    wait_until(gate_is_closed, FINISH_SECONDS)
    conductor.kill()
    worker.kill()
    operations.approve_plan(plan.pk, ANA)
    processes.conductor(**SHORT_LEASE)
    processes.worker()
    wait_until(lambda: state() == PlanState.COMPLETED, FINISH_SECONDS)
    first, second = Wave.objects.order_by("index")
    assert first.gate_opened_at >= first.soak_until
    assert second.started_at >= first.soak_until


def test_a_stop_outlives_processes_and_redis(
    sandbox: Sandbox, processes: Processes, redis_server: str
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    operations.start_plan(plan.pk, OPERATOR)
    stop = operations.stop_everything(OPERATOR, reason="fire")
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    processes.worker()
    processes.conductor()
    rounds: set[object] = set()

    def has_looked_around() -> bool:
        rounds.update(Leadership.objects.values_list("seen_at", flat=True))
        return len(rounds) > 3

    wait_until(has_looked_around, FINISH_SECONDS)
    other = make_plan(["tenant-003"])
    operations.start_plan(other.pk, OPERATOR)
    assert set(Task.objects.filter(plan=other).values_list("state", flat=True)) == {"PENDING"}
    assert set(Task.objects.filter(plan=plan).values_list("lease_epoch", flat=True)) == {0}
    operations.lift_stop(OPERATOR, seen=stop.pk)
    done = Plan.objects.filter(state=PlanState.COMPLETED)
    wait_until(lambda: done.count() == 2, FINISH_SECONDS)
