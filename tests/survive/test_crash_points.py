"""A worker that is killed at any moment loses nothing (S4.5)."""

import json
from pathlib import Path

import pytest

from plans import operations
from plans.models import Event, EventKind, Plan, PlanState, StageRun, Task, TaskState
from plans.pipelines import PIPELINES
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Call, Sandbox
from tests.support.waiting import wait_until
from tests.survive.crew import (
    FINISH_SECONDS,
    LONG_LEASE_SECONDS,
    SHORT_LEASE,
    Crew,
    assert_each_stage_ran_once,
    assert_sequence_is_whole,
    leads,
    takeovers,
    wait_for_plan,
)
from tests.survive.traps import PLAN_OF_DEATHS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

STAGES = list(PIPELINES["BLUE_GREEN_SWITCH"])
MOMENTS = ("before", "after", "committing", "committed")
STAGE_OF_CALL = {
    "ob.get_tenant": "read_tenant",
    "gateway.get_route": "read_tenant",
    "instance.config": "deliver_config",
    "instance.notify": "notify_services",
    "gateway.put_route": "switch_route",
    "instance.health": "check_health",
    "ob.put_status": "update_status",
}
POINTS = ["taken", *(f"{moment} {stage}" for stage in STAGES for moment in MOMENTS)]
TENANTS = {f"tenant-{n:03}": point for n, point in enumerate(POINTS, 1)}


@pytest.fixture
def deaths(tmp_path: Path) -> Path:
    """The folder from which the dying workers learn where to die."""
    folder = tmp_path / "deaths"
    folder.mkdir()
    (folder / PLAN_OF_DEATHS).write_text(json.dumps(TENANTS))
    return folder


@pytest.mark.parametrize("direction", ["forward", "rollback"])
def test_a_worker_killed_at_any_point_is_replaced_and_finished_stages_do_not_run_again(
    direction: str, crew: Crew, sandbox: Sandbox, deaths: Path
) -> None:
    plan = make_plan(TENANTS, max_concurrency=len(TENANTS))
    if direction == "rollback":
        operations.start_plan(plan.pk, OPERATOR)
        work_off()
    begun_at = sandbox.last_call()
    dying = crew.processes.module(
        "tests.survive.dying_workers",
        str(deaths),
        str(len(TENANTS)),
        LOG_LEVEL="INFO",
        **SHORT_LEASE,
    )
    survivor = crew.worker(len(TENANTS), LONG_LEASE_SECONDS)
    crew.freeze(survivor)
    conductor = crew.conductor()
    wait_until(lambda: leads(conductor), message="the conductor leads")
    wait_until(lambda: dying.log.count("runs up to") == len(TENANTS), FINISH_SECONDS)

    if direction == "forward":
        operations.start_plan(plan.pk, OPERATOR)
    else:
        operations.roll_back_plan(plan.pk, OPERATOR)
    wait_until(lambda: not dying.is_running, FINISH_SECONDS, "all have died")
    survivor.thaw()

    forward = direction == "forward"
    wait_for_plan(plan, PlanState.COMPLETED if forward else PlanState.ROLLED_BACK)
    tasks = Task.objects.filter(plan=plan)
    assert {task.state for task in tasks} == {
        TaskState.COMPLETED if forward else TaskState.ROLLED_BACK
    }
    assert {sandbox.route(tenant) for tenant in TENANTS} == {"green" if forward else "blue"}
    assert_sequence_is_whole(plan)
    if forward:
        assert_each_stage_ran_once(plan)
    stages = STAGES if forward else STAGES[::-1]
    calls = sandbox.calls(after=begun_at)
    for tenant, point in TENANTS.items():
        epoch = epoch_of_death(tenant, deaths)
        of_tenant = [call for call in calls if call["tenant"] == tenant]
        finished = finished_stages(point, stages)
        assert_no_call_of_a_finished_stage(point, of_tenant, epoch, stages, finished)
        runs = StageRun.objects.filter(task__tenant=tenant, direction=direction)
        assert sorted(runs.values_list("stage", flat=True)) == sorted(STAGES), point
        assert runs.filter(finished_at__isnull=True).count() == 0, point
    assert_taken_over(plan, deaths, stages)


def finished_stages(point: str, stages: list[str]) -> int:
    """How many stages stand finished in the database when a worker dies at `point`."""
    moment, _, stage = point.partition(" ")
    if moment == "taken":
        return 0
    return stages.index(stage) + (moment == "committed")


def assert_no_call_of_a_finished_stage(
    point: str, calls: list[Call], epoch: int, stages: list[str], finished: int
) -> None:
    for call in calls:
        place = stages.index(STAGE_OF_CALL[call["step"]])
        if call["fence"] <= epoch:
            assert place <= finished, f"{point}: the killed worker called {call['step']}"
        else:
            assert place >= finished, f"{point}: {call['step']} was called again"


def epoch_of_death(tenant: str, deaths: Path) -> int:
    """The epoch at which the tenant's worker killed itself."""
    return int((deaths / tenant).read_text())


def assert_taken_over(plan: Plan, deaths: Path, stages: list[str]) -> None:
    """By the next epoch. How soon is measured by `bench/takeover.py`."""
    taken = {(event.tenant_id, event.epoch) for event in takeovers(plan)}
    for tenant, point in TENANTS.items():
        # Whoever dies with the last commit leaves nothing to take over, only a plan to settle.
        has_ended = point == f"committed {stages[-1]}"
        assert ((tenant, epoch_of_death(tenant, deaths) + 1) in taken) != has_ended, point


def test_a_crash_between_commit_and_enqueue_strands_no_task(crew: Crew, sandbox: Sandbox) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    starter = crew.processes.module("tests.survive.dying_starter", str(plan.pk))
    starter.wait()
    assert starter.exit_code == -9
    assert Plan.objects.get().state == PlanState.RUNNING
    assert Task.objects.filter(admitted=True, lease_epoch=0).count() == 2
    # The commands themselves, as users start them.
    crew.processes.conductor()
    crew.processes.worker()
    wait_for_plan(plan, PlanState.COMPLETED)
    assert_each_stage_ran_once(plan)
    assert Event.objects.filter(plan=plan, kind=EventKind.TASK_STARTED).count() == 2
