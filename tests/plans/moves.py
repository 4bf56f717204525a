"""What the random machine may do, break and kill."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from hypothesis import strategies as st

from plans import operations
from plans.actor import Actor
from plans.engine.task_run import TaskRun

TENANTS = 4
PLANS_MAX = 3
PIPELINE = "BLUE_GREEN_SWITCH_WITH_SOAK"
PARAMETERS = {
    "deliver_config": {"ack_timeout_seconds": 0.1},
    "soak": {"seconds": 3600},
    "check_health": {"interval_seconds": 0, "attempts": 2},
}
FAULTS = [
    ("ob.get_tenant", {"kind": "status", "code": 403}),
    ("gateway.put_route", {"kind": "status", "code": 400}),
    ("gateway.put_route", {"kind": "status", "code": 503, "times": 2}),
    ("gateway.put_route", {"kind": "drop_after_apply", "times": 4}),
    ("ob.put_status", {"kind": "drop_after_apply"}),
    ("instance.notify", {"kind": "status", "code": 404}),
    ("instance.notify", {"kind": "drop_after_apply", "times": 2}),
    ("instance.config", {"kind": "status", "code": 500}),
    ("instance.health", {"kind": "unhealthy"}),
]


def from_scratch(task_id: int, actor: Actor) -> None:
    operations.retry_task(task_id, actor, from_checkpoint=False)


def all_from_scratch(plan_id: int, actor: Actor) -> None:
    operations.retry_plan(plan_id, actor, from_checkpoint=False)


Operation = Callable[[int, Actor], Any]
TASK_OPERATIONS: dict[Operation, set[str]] = {
    operations.pause_task: {"RUNNING"},
    operations.resume_task: {"PAUSED"},
    operations.cancel_task: {"RUNNING", "PAUSED"},
    operations.retry_task: {"FAILED", "ROLLED_BACK"},
    from_scratch: {"FAILED", "ROLLED_BACK"},
    operations.roll_back_task: {"COMPLETED", "FAILED", "PAUSED", "CANCELLED", "ROLLBACK_FAILED"},
}
"""By operation, the states in which it makes most sense to try it."""
PLAN_OPERATIONS: dict[Operation, set[str]] = {
    operations.start_plan: {"CREATED"},
    operations.pause_plan: {"RUNNING"},
    operations.resume_plan: {"PAUSED"},
    operations.cancel_plan: {"PAUSED"},
    operations.retry_plan: {"FAILED"},
    all_from_scratch: {"FAILED"},
    operations.roll_back_plan: {"COMPLETED", "FAILED", "PAUSED", "CANCELLED", "ROLLBACK_FAILED"},
}
STAGES = [
    "read_tenant",
    "deliver_config",
    "notify_services",
    "switch_route",
    "check_health",
    "update_status",
]
places = st.integers(0, TENANTS - 1)
choices = st.integers(0, 2**16)
examples = count(1)


class Killed(BaseException):
    """The worker is dead."""


@contextmanager
def dying_before_commit(number: int) -> Iterator[None]:
    """Kill the worker when its `number`th stage has had its effect and is not stored yet."""
    advance, left = TaskRun.advance, [number]

    def die_or_advance(run: TaskRun, *arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed
        advance(run, *arguments)

    TaskRun.advance = die_or_advance  # type: ignore[method-assign]
    try:
        yield
    except Killed:
        pass
    finally:
        TaskRun.advance = advance  # type: ignore[method-assign]
