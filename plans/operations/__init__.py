"""The facade: the one door through which dashboard, API, admin and commands act (S9.1).

Every operation takes the actor whose permission it checks, and optionally what the sender saw.
Each raises a `RefusedError` and changes nothing, or has happened when it returns.
"""

from plans.operations.by_verb import OF_PLANS, OF_TASKS
from plans.operations.create import (
    Preview,
    create_plan,
    create_plan_with_summary,
    preview_plan,
)
from plans.operations.gates import approve_plan, reject_plan
from plans.operations.labels import label_tenants
from plans.operations.plan import (
    cancel_plan,
    pause_plan,
    resume_plan,
    retry_plan,
    roll_back_plan,
    start_plan,
)
from plans.operations.selection import Results, for_each
from plans.operations.stop import lift_stop, stop_everything
from plans.operations.task import (
    cancel_task,
    pause_task,
    resume_task,
    retry_task,
    roll_back_task,
)

__all__ = [
    "OF_PLANS",
    "OF_TASKS",
    "Preview",
    "Results",
    "approve_plan",
    "cancel_plan",
    "cancel_task",
    "create_plan",
    "create_plan_with_summary",
    "for_each",
    "label_tenants",
    "lift_stop",
    "pause_plan",
    "pause_task",
    "preview_plan",
    "reject_plan",
    "resume_plan",
    "resume_task",
    "retry_plan",
    "retry_task",
    "roll_back_plan",
    "roll_back_task",
    "start_plan",
    "stop_everything",
]
