"""What holds once nothing is under way any more, whatever happened before."""

from collections.abc import Iterable

from plans.models import (
    ACTIVE_STATES,
    UNFINISHED_STATES,
    Event,
    EventKind,
    Plan,
    PlanState,
    Task,
    TaskState,
)
from tests.support.sandbox import Sandbox


def assert_nobody_is_stuck(plans: Iterable[Plan], tasks: Iterable[Task]) -> None:
    """Each task is finished, or something that a person can do is what it waits for."""
    for task in tasks:
        at = f"{task} is {task.state} in a plan that is {task.plan.state}"
        assert task.state not in ACTIVE_STATES, at
        if task.state == TaskState.PENDING:
            assert task.plan.state in (PlanState.RUNNING, PlanState.PAUSED, PlanState.FAILED), at
    for plan in plans:
        states = set(plan.tasks.values_list("state", flat=True))
        at = f"{plan} is {plan.state} with {states}"
        assert plan.state != PlanState.ROLLING_BACK, at
        if plan.state == PlanState.RUNNING:
            assert TaskState.PAUSED in states, at
        if plan.state == PlanState.COMPLETED:
            assert not states & {TaskState.FAILED, *UNFINISHED_STATES}, at
        if plan.state in (PlanState.CANCELLED, PlanState.ROLLED_BACK):
            assert not states & {*UNFINISHED_STATES}, at


def assert_tenants_are_where_their_tasks_say(sandbox: Sandbox, tenants: Iterable[str]) -> None:
    """Of each tenant, by the task whose stage began last, if that has ended."""
    for tenant in tenants:
        begun = Event.objects.filter(tenant_id=tenant, kind=EventKind.STAGE_STARTED)
        latest = begun.order_by("-pk").first()
        if latest is None:
            continue
        task = Task.objects.get(pk=latest.task_id)
        now = sandbox.tenant(tenant)
        at = (now["route"], now["status"].lower())
        if task.state == TaskState.COMPLETED:
            assert at == (task.target["environment"],) * 2, f"{task}: {at}"
        elif task.state == TaskState.ROLLED_BACK:
            assert at == (task.previous["route"], task.previous["environment"]), f"{task}: {at}"
