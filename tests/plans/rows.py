"""Rows in a given state, stored without having lived through what leads there."""

from typing import Any

from django.utils import timezone

from plans import pipelines
from plans.models import Event, Journal, Plan, Task, Tenant, Wave

PREVIOUS = {
    "environment": "blue",
    "route": "blue",
    "version": 19,
    "payload": {},
    "endpoints": ["http://127.0.0.1:9/1"],
}


def make_tenant(tenant_id: str = "tenant-001", **fields: Any) -> Tenant:
    """A tenant in the registry."""
    tenant = _tenant(tenant_id, **fields)
    tenant.save()
    return tenant


def _tenant(tenant_id: str, **fields: Any) -> Tenant:
    usual = {
        "environment": "blue",
        "endpoints": PREVIOUS["endpoints"],
        "synced_at": timezone.now(),
    }
    return Tenant(tenant_id=tenant_id, **(usual | fields))


def make_rows(
    plan_state: str, *task_states: str, plan_fields: dict[str, Any] | None = None, **fields: Any
) -> tuple[Plan, list[Task]]:
    """A plan in `plan_state` with a task in each of `task_states`, all with something to undo."""
    plan = Plan.objects.create(
        name="Rows",
        executor_type="BLUE_GREEN_SWITCH",
        target="green",
        state=plan_state,
        journal=Journal.objects.create(name=f"plan:{Plan.objects.count()}"),
        created_by="olga",
        **{"max_concurrency": 10, "failure_policy": "halt", **(plan_fields or {})},
    )
    wave = Wave.objects.create(plan=plan, index=0, size=len(task_states))
    pipeline = pipelines.snapshot("BLUE_GREEN_SWITCH", {})
    ids = [f"tenant-{number:03}" for number in range(1, len(task_states) + 1)]
    Tenant.objects.bulk_create([_tenant(tenant_id) for tenant_id in ids], ignore_conflicts=True)
    Task.objects.bulk_create(
        Task(
            plan=plan,
            wave=wave,
            tenant_id=tenant_id,
            position=position,
            state=state,
            pipeline=pipeline,
            target={"environment": "green", "version": None, "payload": None},
            **{"reached": 2, "cursor": 1, "previous": PREVIOUS, **fields},
        )
        for position, (tenant_id, state) in enumerate(zip(ids, task_states, strict=True))
    )
    tasks = list(Task.objects.filter(plan=plan).order_by("position"))
    return plan, tasks


def everything() -> list[Any]:
    """All plans, tasks and events as they are stored: equal before and after means untouched."""
    return [list(model.objects.order_by("pk").values()) for model in (Plan, Task, Event)]
