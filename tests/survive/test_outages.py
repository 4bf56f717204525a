"""Redis, conductors, workers and database connections go away in the middle of a plan."""

import pytest
from django.db import connection

from plans import operations
from plans.models import Plan, PlanState, StageRun, Task, TaskState
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import START_SECONDS, RunningProcess
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until
from tests.survive.crew import (
    Crew,
    assert_each_stage_ran_once,
    assert_sequence_is_whole,
    leads,
    takeovers,
    wait_for_plan,
    wait_for_tasks,
)
from tests.survive.redis_server import RedisServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

FLEET = [f"tenant-{n:03}" for n in range(1, 61)]


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """A plan of 60 tenants that takes a few seconds, so that things can happen in its middle."""
    sandbox.add_fault("*", "gateway.put_route", "latency", seconds=0.3)
    return make_plan(FLEET, waves=[{"size": 10}, {"rest": True}], max_concurrency=12)


def assert_everyone_was_switched(plan: Plan, sandbox: Sandbox) -> None:
    assert {task.state for task in Task.objects.filter(plan=plan)} == {TaskState.COMPLETED}
    tenants = sandbox.state()["tenants"]
    assert {tenants[tenant]["route"] for tenant in FLEET} == {"green"}
    assert {tenants[tenant]["status"] for tenant in FLEET} == {"GREEN"}
    assert not StageRun.objects.filter(finished_at__isnull=True).exists()
    assert_sequence_is_whole(plan)


def test_a_plan_finishes_though_redis_is_emptied_and_then_killed_in_its_middle(
    crew: Crew, plan: Plan, sandbox: Sandbox, redis_at_risk: RedisServer
) -> None:
    crew.workers(2)
    crew.conductor()
    operations.start_plan(plan.pk, OPERATOR)
    wait_for_tasks(plan, 5, state=TaskState.COMPLETED)
    redis_at_risk.flush()
    wait_for_tasks(plan, 20, state=TaskState.COMPLETED)
    redis_at_risk.kill()
    redis_at_risk.start()
    wait_for_plan(plan, PlanState.COMPLETED)
    assert_everyone_was_switched(plan, sandbox)


def test_a_plan_started_while_redis_is_down_runs_as_soon_as_it_is_back(
    crew: Crew, sandbox: Sandbox, redis_at_risk: RedisServer
) -> None:
    plan = make_plan(FLEET[:3])
    crew.conductor()
    crew.worker()
    redis_at_risk.kill()
    operations.start_plan(plan.pk, OPERATOR)
    assert Plan.objects.get().state == PlanState.RUNNING
    assert Task.objects.filter(admitted=True, lease_epoch=0).count() == 3
    redis_at_risk.start()
    wait_for_plan(plan, PlanState.COMPLETED)


def test_a_conductor_that_cannot_ring_leaves_the_lead_to_one_that_can(
    crew: Crew, sandbox: Sandbox, redis_at_risk: RedisServer
) -> None:
    # Nobody listens there: for it Redis is away, and for nobody else.
    deaf = crew.processes.conductor(REDIS_URL="redis://127.0.0.1:1")
    wait_until(lambda: leads(deaf), START_SECONDS, "the conductor without Redis leads")
    plan = make_plan(FLEET[:3])
    operations.start_plan(plan.pk, OPERATOR)
    redis_at_risk.flush()
    crew.worker()
    crew.conductor()
    wait_for_plan(plan, PlanState.COMPLETED)
    deaf.terminate()
    assert deaf.wait() == 0


def test_a_plan_finishes_though_the_leading_conductor_and_all_workers_are_killed(
    crew: Crew, plan: Plan, sandbox: Sandbox
) -> None:
    leading = crew.conductor()
    old = crew.workers(2, threads=8)
    wait_until(lambda: leads(leading), message="the first conductor leads")
    following = crew.conductor()
    operations.start_plan(plan.pk, OPERATOR)
    wait_for_tasks(plan, 5, state=TaskState.COMPLETED)
    freeze_while_they_hold_leases(crew, old, plan)
    for process in (leading, *old):
        process.kill()
    crew.worker()
    wait_for_plan(plan, PlanState.COMPLETED)
    assert leads(following)
    assert takeovers(plan)
    assert_everyone_was_switched(plan, sandbox)


def freeze_while_they_hold_leases(crew: Crew, workers: list[RunningProcess], plan: Plan) -> None:
    """What they hold cannot end any more: whoever is killed now leaves something to take over."""

    def frozen() -> bool:
        for worker in workers:
            crew.freeze(worker)
        if Task.objects.filter(plan=plan).exclude(lease_owner="").exists():
            return True
        for worker in workers:
            worker.thaw()
        return False

    wait_until(frozen, message="the workers are frozen with leases in their hands")


def test_a_plan_goes_on_elsewhere_when_a_worker_is_told_to_stop_and_after_a_restart_of_all(
    crew: Crew, plan: Plan, sandbox: Sandbox
) -> None:
    leaving, staying = crew.workers(2, threads=8)
    conductor = crew.conductor()
    wait_until(lambda: leads(conductor), message="the conductor leads")
    operations.start_plan(plan.pk, OPERATOR)
    wait_for_tasks(plan, 5, state=TaskState.COMPLETED)
    leaving.terminate()
    assert leaving.wait() == 0
    assert not Task.objects.filter(lease_owner__contains=f":{leaving.pid}:").exists()
    wait_for_tasks(plan, 20, state=TaskState.COMPLETED)
    for process in (staying, conductor):
        process.terminate()
    assert [process.wait() for process in (staying, conductor)] == [0, 0]
    # Whoever leaves in order leaves nothing to be taken over.
    assert not Task.objects.exclude(lease_owner="").exists()
    crew.worker()
    crew.conductor()
    wait_for_plan(plan, PlanState.COMPLETED)
    assert_each_stage_ran_once(plan)
    assert_everyone_was_switched(plan, sandbox)


def test_a_plan_finishes_though_every_connection_to_postgresql_is_cut(
    crew: Crew, plan: Plan, sandbox: Sandbox
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("there is no server to cut connections")
    crew.workers(2)
    crew.conductor()
    operations.start_plan(plan.pk, OPERATOR)
    for completed in (5, 20, 35):
        wait_for_tasks(plan, completed, state=TaskState.COMPLETED)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount > 2
    wait_for_plan(plan, PlanState.COMPLETED)
    assert_everyone_was_switched(plan, sandbox)
