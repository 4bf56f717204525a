"""A worker that stood still for longer than its lease changes nothing when it goes on (S4.5)."""

import pytest

from plans import operations
from plans.models import Event, PlanState, StageRun, StageRunState, Task
from plans.stores import tenant_config
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import RunningProcess
from tests.support.sandbox import Call, Sandbox
from tests.support.waiting import wait_until
from tests.survive.crew import (
    LONG_LEASE_SECONDS,
    UNPARKED,
    Crew,
    assert_sequence_is_whole,
    takeovers,
    wait_for_plan,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

STEPS = {
    "tenant-001": "ob.get_tenant",
    "tenant-002": "instance.config",
    "tenant-003": "instance.notify",
    "tenant-004": "gateway.put_route",
    "tenant-005": "instance.health",
    "tenant-006": "ob.put_status",
}
"""The call in whose middle each tenant's worker freezes."""
SLOW_SECONDS = 20.0
"""Long enough for the last one to begin while the first is still under way, on a busy machine;
shorter than a call may take."""


def everything() -> tuple[object, ...]:
    """All that the engine keeps of tasks, and the configurations in Redis."""
    return (
        list(Task.objects.order_by("pk").values_list()),
        list(StageRun.objects.order_by("pk").values_list()),
        list(Event.objects.order_by("pk").values_list()),
        [tenant_config.read(tenant) for tenant in STEPS],
    )


def freeze_in_the_middle(worker: RunningProcess, crew: Crew, sandbox: Sandbox) -> None:
    """Freeze it when each tenant's slow call is under way."""

    def under_way() -> bool:
        calls = sandbox.calls()
        return all(any(is_open(call, *item) for call in calls) for item in STEPS.items())

    wait_until(under_way, message="all slow calls are under way at once")
    crew.freeze(worker)


def is_open(call: Call, tenant: str, step: str) -> bool:
    return call["tenant"] == tenant and call["step"] == step and call["ended"] is None


def test_a_frozen_worker_finds_itself_replaced_in_every_stage_and_touches_nothing(
    crew: Crew, sandbox: Sandbox
) -> None:
    # What the frozen worker has sent takes effect late; only the services can refuse that.
    sandbox.enforce_fences()
    plan = make_plan(STEPS, max_concurrency=len(STEPS), parameters=UNPARKED)
    for tenant, step in STEPS.items():
        sandbox.add_fault(tenant, step, "latency", seconds=SLOW_SECONDS, times=1)
    frozen = crew.worker(lease_seconds=6)
    fresh = crew.worker(lease_seconds=LONG_LEASE_SECONDS)
    crew.freeze(fresh)
    operations.start_plan(plan.pk, OPERATOR)
    freeze_in_the_middle(frozen, crew, sandbox)
    steps = dict(Task.objects.values_list("tenant", "step"))
    fresh.thaw()
    crew.conductor()

    wait_for_plan(plan, PlanState.COMPLETED)
    assert {event.tenant_id: event.data["stage"] for event in takeovers(plan)} == steps
    assert {event.epoch for event in takeovers(plan)} == {2}
    operations.roll_back_plan(plan.pk, OPERATOR)
    wait_for_plan(plan, PlanState.ROLLED_BACK)
    wait_until(lambda: all(call["ended"] for call in sandbox.calls()), message="calls have ended")
    before, last_call = everything(), sandbox.last_call()

    frozen.thaw()
    wait_until(
        lambda: frozen.log.count(" stops: ") == len(STEPS), message="the frozen worker gives up all"
    )

    assert everything() == before
    assert [call for call in sandbox.calls(after=last_call) if call["fence"] == 1] == []
    assert {sandbox.route(tenant) for tenant in STEPS} == {"blue"}
    assert {sandbox.status(tenant) for tenant in STEPS} == {"BLUE"}
    assert not StageRun.objects.filter(state=StageRunState.RUNNING).exists()
    assert_sequence_is_whole(plan)
    assert_no_old_fence_after_a_new_one(sandbox.calls())


def test_a_worker_frozen_for_less_than_its_lease_goes_on_with_its_tasks(
    crew: Crew, sandbox: Sandbox
) -> None:
    plan = make_plan(STEPS, max_concurrency=len(STEPS), parameters=UNPARKED)
    for tenant, step in STEPS.items():
        sandbox.add_fault(tenant, step, "latency", seconds=SLOW_SECONDS, times=1)
    worker = crew.worker(lease_seconds=LONG_LEASE_SECONDS)
    operations.start_plan(plan.pk, OPERATOR)
    freeze_in_the_middle(worker, crew, sandbox)
    worker.thaw()
    wait_for_plan(plan, PlanState.COMPLETED)
    assert takeovers(plan) == []
    assert set(Task.objects.values_list("lease_epoch", flat=True)) == {1}


def assert_no_old_fence_after_a_new_one(calls: list[Call]) -> None:
    highest: dict[str, int] = {}
    for call in calls:
        if call["fence"] is not None:
            assert call["fence"] >= highest.get(call["tenant"], 0), call
            highest[call["tenant"]] = call["fence"]
