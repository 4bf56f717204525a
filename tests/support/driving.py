"""Drive plans within the test's own process: do what workers and the conductor do."""

import time
from collections.abc import Iterable
from typing import Any

from plans import operations, registry_sync
from plans.actor import Actor, Permission
from plans.engine import conductor, executor, lease, queue
from plans.models import Plan, Task
from plans.validation import PlanRequest, TenantRequest, WaveRequest

OPERATOR = Actor("olga", frozenset({Permission.VIEW, Permission.OPERATE}))
WORKER = "test-worker"
WORK_SECONDS = 200.0
"""Longer than for a wait: here the work itself is done, as slowly as the machine does it."""


def make_plan(tenant_ids: Iterable[str], **options: Any) -> Plan:
    """Create a plan for `tenant_ids` through the facade; the registry is filled first."""
    registry_sync.sync_tenants()
    options.setdefault("waves", ())
    request = PlanRequest(
        name=options.pop("name", "A test plan"),
        tenants=tuple(TenantRequest(tenant_id) for tenant_id in tenant_ids),
        executor_type=options.pop("executor_type", "BLUE_GREEN_SWITCH"),
        waves=tuple(WaveRequest(**wave) for wave in options.pop("waves")),
        **options,
    )
    return operations.create_plan(request, OPERATOR)


def work_off(seconds: float = WORK_SECONDS) -> None:
    """Do what workers and the conductor would do until nothing is due or parked any more."""
    deadline = time.monotonic() + seconds
    while Task.objects.filter(admitted=True).exists():
        assert time.monotonic() < deadline, f"still not done: {list(Task.objects.values())}"
        ids = list(lease.runnable().order_by("pk").values_list("pk", flat=True))
        for task_id in ids:
            executor.run(task_id, WORKER)
        if not ids:
            time.sleep(0.02)
    conductor.settle_active()
    if Task.objects.filter(admitted=True).exists():
        work_off(deadline - time.monotonic())


def rung() -> set[int]:
    """The ids of the tasks whose bells hang in the queue."""
    return queue.queued_task_ids()
