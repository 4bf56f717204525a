"""What one can do with one task."""

from django.utils.translation import gettext_noop

from plans.actor import Actor
from plans.engine import scheduler
from plans.errors import IllegalTransition, TenantConflict
from plans.events import describe, run_transition
from plans.message import Message
from plans.models import Control, EventKind, Plan, PlanState, Task, TaskState
from plans.operations.looked import Seen, operating_on_task
from plans.operations.stopping import stop
from plans.queries import eligible
from plans.verbs import words_of


def pause_task(task_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Task:
    """Pause at the next stage boundary; at once if no worker is at it."""
    return _stop_task(task_id, Control.PAUSE, actor, seen, reason)


def cancel_task(task_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Task:
    """Cancel at the next stage boundary; at once if no worker is at it."""
    return _stop_task(task_id, Control.CANCEL, actor, seen, reason)


def resume_task(task_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Task:
    """Go on after a pause, or take back a pause that was not obeyed yet."""
    with operating_on_task(task_id, actor, seen) as (task, plan, record):
        _require_plan(plan, task, "resume", PlanState.RUNNING)
        if task.state == TaskState.RUNNING and task.control == Control.PAUSE:
            task.take_control_back()
            record.save(task)
            record.note(EventKind.TASK_RESUMED, task=task, reason=reason)
        else:
            record.apply(task, "resume", EventKind.TASK_RESUMED, reason=reason)
    scheduler.settle(task.plan_id)
    return task


def retry_task(
    task_id: int,
    actor: Actor,
    *,
    from_checkpoint: bool = True,
    seen: Seen = None,
    reason: str = "",
) -> Task:
    """Run a failed or rolled back task again; a failed plan runs again for it (S4.2).

    What a halted plan has not begun stays so: retry the plan for that.
    """
    with operating_on_task(task_id, actor, seen) as (task, plan, record):
        _require_plan(plan, task, "retry", PlanState.RUNNING, PlanState.FAILED)
        _require_latest(task)
        if not from_checkpoint or task.state == TaskState.ROLLED_BACK:
            task.start_over()
        record.apply(
            task,
            "retry",
            EventKind.TASK_RETRY_STARTED,
            reason=reason,
            data={"fromCheckpoint": from_checkpoint},
        )
        if plan.state == PlanState.FAILED:
            record.apply(plan, "retry", EventKind.PLAN_RETRIED, reason=reason, data={"tasks": 1})
    scheduler.settle(task.plan_id)
    return task


def roll_back_task(task_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Task:
    """Take the tenant back to where it was before the task changed anything (S4.3).

    Where that had failed in the rollback of the whole plan, the plan's rollback goes on with it.
    """
    with operating_on_task(task_id, actor, seen) as (task, plan, record):
        _require_latest(task)
        record.apply(task, "roll_back", EventKind.TASK_ROLLING_BACK, reason=reason)
        if plan.state == PlanState.ROLLBACK_FAILED:
            record.apply(plan, "roll_back", EventKind.PLAN_ROLLING_BACK, reason=reason)
    scheduler.settle(task.plan_id)
    return task


def _stop_task(task_id: int, control: Control, actor: Actor, seen: Seen, reason: str) -> Task:
    with operating_on_task(task_id, actor, seen) as (task, _plan, record):
        if task.state != TaskState.RUNNING or not task.lease_owner:
            probe = Task.objects.get(pk=task_id)
            run_transition(probe, control.value)
        elif task.control == Control.CANCEL and control == Control.PAUSE:
            raise IllegalTransition(
                gettext_noop("%(what)s is being cancelled and cannot be paused."),
                what=describe(task),
            )
        stop(record, [task], control, actor, reason)
    scheduler.settle(task.plan_id)
    return task


def _require_plan(plan: Plan, task: Task, asked: str, *states: PlanState) -> None:
    if plan.state not in states:
        raise IllegalTransition(
            gettext_noop("%(what)s cannot %(asked)s while its plan is %(state)s."),
            what=describe(task),
            state=Message.of(plan.get_state_display()),
            asked=words_of(asked),
        )


def _require_latest(task: Task) -> None:
    if Task.objects.filter(eligible.overtaken(), pk=task.pk).exists():
        raise TenantConflict(
            gettext_noop(
                "A later task has changed tenant %(tenant)s since: this one can no longer be "
                "retried or rolled back. Act on the later one."
            ),
            tenant=task.tenant_id,
        )
