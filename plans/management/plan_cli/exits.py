"""The exit codes of `manage.py plan`, which scripts rely on."""

from enum import IntEnum

from django.utils.translation import gettext_noop as _

from plans.models import PlanState, Task, TaskState


class Exit(IntEnum):
    """How the command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    FAILED = 3
    ENDED_OTHERWISE = 4
    INTERRUPTED = 5


EPILOG = _(
    "Exit codes: "
    "0 done as asked (with --wait: it ended as asked); "
    "1 refused, nothing has changed (standard error says why, and what to mend); "
    "2 wrong usage; "
    "3 it ended FAILED or ROLLBACK_FAILED; "
    "4 it ended otherwise than asked: CANCELLED, or rolled back by somebody; "
    "5 interrupted, or --timeout is over (the plan goes on). "
    "Without --as the command acts as cli:USER of the operating system, and may do everything: "
    "who can run it owns the database."
)

WANTED = {
    "cancel": {PlanState.CANCELLED},
    "pause": {PlanState.PAUSED},
    "reject": {PlanState.PAUSED},
    "rollback": {PlanState.ROLLED_BACK},
    "watch": {PlanState.COMPLETED, PlanState.ROLLED_BACK},
}
"""The states (equally named of plans and tasks) that an action asks for, where not COMPLETED."""


def of_state(action: str, state: str) -> Exit:
    """The exit code where `action` has led to `state`."""
    if state in WANTED.get(action, {PlanState.COMPLETED}):
        return Exit.DONE
    if state in (PlanState.FAILED, PlanState.ROLLBACK_FAILED):
        return Exit.FAILED
    return Exit.ENDED_OTHERWISE


def of_task(action: str, task: Task) -> Exit:
    """The exit code for one task; one that failed and was rolled back for it has failed."""
    if action != "rollback" and task.state == TaskState.ROLLED_BACK and task.failure:
        return Exit.FAILED
    return of_state(action, task.state)
