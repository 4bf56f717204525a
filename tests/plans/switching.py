"""The switch of one tenant, told stage by stage: what each does, and how it is made to fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from plans import conf, operations
from plans.engine import executor
from plans.engine import lease as leases
from plans.engine.clock import in_seconds
from plans.engine.ticker import Ticker
from plans.models import Event, Plan, StageRun, StageRunState, Task
from plans.stores import tenant_config
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.sandbox import Sandbox, calls_of
from tests.support.waiting import WAIT_SECONDS, wait_until

STAGES = (
    "read_tenant",
    "deliver_config",
    "notify_services",
    "switch_route",
    "check_health",
    "update_status",
)
CHECKPOINTS = ("READ", "DELIVERED", "NOTIFIED", "SWITCHED", "HEALTHY", "UPDATED")
TENANT = "tenant-001"
OLD = {"feature": "old"}
NEW = {"feature": "new"}
QUICK = {
    # Rounds so short that no task is parked for them, however late an instance is.
    "deliver_config": {"retry": "fixed", "poll_seconds": 0.05},
    "check_health": {"interval_seconds": 0.01, "attempts": 2},
}
SOON = 0.3
"""So many seconds for a delivery that shall fail."""
IMPATIENT = {**QUICK, "deliver_config": {"ack_timeout_seconds": SOON}}

PLACES = {
    "read_tenant": ("blue", "BLUE"),
    "deliver_config": ("blue", "BLUE"),
    "notify_services": ("blue", "BLUE"),
    "switch_route": ("green", "BLUE"),
    "check_health": ("green", "BLUE"),
    "update_status": ("green", "GREEN"),
}
"""Where the tenant is once a stage is finished."""


@dataclass(frozen=True)
class Breakdown:
    """A fault that makes one stage fail for good, and the error code that follows."""

    step: str
    kind: str
    code: str
    more: tuple[tuple[str, Any], ...] = ()


BREAKDOWNS = {
    "read_tenant": Breakdown("ob.get_tenant", "status", "OB_SERVICE_REJECTED", (("code", 403),)),
    "deliver_config": Breakdown("instance.apply", "drop", "ACK_MISMATCH"),
    "notify_services": Breakdown("instance.notify", "status", "NOTIFY_REJECTED", (("code", 400),)),
    "switch_route": Breakdown("gateway.put_route", "status", "GATEWAY_REJECTED", (("code", 400),)),
    "check_health": Breakdown("instance.health", "unhealthy", "HEALTH_CHECK_FAILED"),
    "update_status": Breakdown("ob.put_status", "status", "OB_SERVICE_REJECTED", (("code", 403),)),
}


def break_stage(sandbox: Sandbox, stage: str, tenant: str = TENANT) -> None:
    breakdown = BREAKDOWNS[stage]
    sandbox.add_fault(tenant, breakdown.step, breakdown.kind, **dict(breakdown.more))


def hold_old_config(tenant: str = TENANT) -> int:
    """Give the tenant a configuration in Redis from before; its version."""
    tenant_config.write(tenant, version=30, epoch=0, color="blue", payload=OLD)
    return 30


def switched_plan(tenants: int = 1, **options: Any) -> Plan:
    """A started plan that nobody has worked on yet."""
    options.setdefault("parameters", QUICK)
    plan = make_plan([f"tenant-{n:03}" for n in range(1, tenants + 1)], **options)
    return operations.start_plan(plan.pk, OPERATOR)


def failed_at(sandbox: Sandbox, stage: str, **options: Any) -> Task:
    """The one task of a plan, after it failed at `stage`; the fault is cleared again.

    What is delivered after that has all the time it needs.
    """
    break_stage(sandbox, stage)
    if stage == "deliver_config":
        options.setdefault("parameters", IMPATIENT)
    plan = switched_plan(**options)
    work_off()
    sandbox.clear_faults()
    give_deliveries(WAIT_SECONDS)
    return Task.objects.get(plan=plan, tenant=TENANT)


def give_deliveries(seconds: float) -> None:
    """So long instances may take from now on, as if every task's plan had said so."""
    for task in Task.objects.all():
        for spec in task.pipeline:
            if spec["name"] == "deliver_config":
                spec["params"] = {**spec["params"], "ack_timeout_seconds": seconds}
        Task.objects.filter(pk=task.pk).update(pipeline=task.pipeline)


def work_until(condition: Callable[[], bool]) -> None:
    """Do what workers would do until `condition` holds, between two of their turns."""

    def has_come() -> bool:
        for task_id in list(leases.runnable().order_by("pk").values_list("pk", flat=True)):
            executor.run(task_id, WORKER)
        return condition()

    wait_until(has_come)


def end_deliveries() -> None:
    """The time of those that are under way is over with their next round."""
    under_way = StageRun.objects.filter(stage="deliver_config", finished_at=None)
    under_way.update(started_at=in_seconds(-24 * 3600))


def place(sandbox: Sandbox, tenant: str = TENANT) -> tuple[str, str]:
    """Where the outside has the tenant: its route, its status."""
    now = sandbox.tenant(tenant)
    return now["route"], now["status"]


def writes(sandbox: Sandbox, tenant: str = TENANT, after: int = 0) -> list[tuple[str, Any]]:
    """The changing calls that the tenant's services were sent: step and colour, in order."""
    found = calls_of(sandbox.calls(after), tenant)
    changing = [call for call in found if call["method"] == "PUT"]
    return [(call["step"], next(iter(call["body"].values())).lower()) for call in changing]


def steps_called(sandbox: Sandbox, after: int = 0, tenant: str = TENANT) -> list[str]:
    """The distinct steps in the order of their first call."""
    return list(dict.fromkeys(call["step"] for call in calls_of(sandbox.calls(after), tenant)))


@contextmanager
def beating() -> Iterator[None]:
    """Keep this process's leases alive meanwhile, as a worker does."""
    ticker = Ticker("heart", conf.HEARTBEAT_SECONDS, lambda: leases.extend_all(WORKER))
    ticker.start()
    try:
        yield
    finally:
        ticker.stop(WAIT_SECONDS)


def states(model: Any) -> list[str]:
    return list(model.objects.order_by("pk").values_list("state", flat=True))


def no_stage_run_is_open() -> bool:
    return not StageRun.objects.filter(state=StageRunState.RUNNING).exists()


def task_of(event: Event) -> int:
    assert event.task_id
    return event.task_id
