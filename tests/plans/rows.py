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
    fields.setdefault("environment", "blue")
    fields.setdefault("endpoints", PREVIOUS["endpoints"])
    return Tenant.objects.create(tenant_id=tenant_id, synced_at=timezone.now(), **fields)


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
    tasks = [
        Task.objects.create(
            plan=plan,
            wave=wave,
            tenant=Tenant.objects.filter(pk=f"tenant-{number:03}").first()
            or make_tenant(f"tenant-{number:03}"),
            position=number,
            state=state,
            pipeline=pipeline,
            target={"environment": "green", "version": None, "payload": None},
            **{"reached": 2, "cursor": 1, "previous": PREVIOUS, **fields},
        )
        for number, state in enumerate(task_states, 1)
    ]
    return plan, tasks


def everything() -> list[Any]:
    """All plans, tasks and events as they are stored: equal before and after means untouched."""
    return [list(model.objects.order_by("pk").values()) for model in (Plan, Task, Event)]
