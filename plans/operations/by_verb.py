"""The operations by the words with which addresses and command lines ask for them."""

from collections.abc import Callable

from plans.models import Plan, Task
from plans.operations.gates import approve_plan, reject_plan
from plans.operations.plan import (
    cancel_plan,
    pause_plan,
    resume_plan,
    retry_plan,
    roll_back_plan,
    start_plan,
)
from plans.operations.task import cancel_task, pause_task, resume_task, retry_task, roll_back_task

OF_PLANS: dict[str, Callable[..., Plan]] = {
    "start": start_plan,
    "pause": pause_plan,
    "resume": resume_plan,
    "cancel": cancel_plan,
    "retry": retry_plan,
    "rollback": roll_back_plan,
    "approve": approve_plan,
    "reject": reject_plan,
}
OF_TASKS: dict[str, Callable[..., Task]] = {
    "pause": pause_task,
    "resume": resume_task,
    "cancel": cancel_task,
    "retry": retry_task,
    "rollback": roll_back_task,
}
