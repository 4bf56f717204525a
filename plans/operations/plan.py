"""What one can do with a whole plan."""

from django.utils import timezone
from django.utils.translation import gettext_noop

from plans import events
from plans.actor import Actor
from plans.engine import scheduler
from plans.errors import IllegalTransition
from plans.models import (
    Control,
    Decision,
    EventKind,
    FailurePolicy,
    Plan,
    PlanState,
    Task,
    TaskState,
    Wave,
)
from plans.operations.looked import Seen, operating_on_plan
from plans.operations.stopping import stop
from plans.queries import eligible


def start_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Start running the waves."""
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        record.apply(
            plan,
            "start",
            EventKind.PLAN_STARTED,
            reason=reason,
            started_at=timezone.now(),
            started_by=actor.name,
        )
    scheduler.settle(plan_id)
    return plan


def pause_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Hand out no more, and pause the running tasks at their next stage boundary."""
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        pause_locked(record, plan, actor, reason)
    return plan


def pause_locked(record: events.Record, plan: Plan, actor: Actor, reason: str) -> None:
    """Pause a plan whose row this transaction has locked."""
    record.apply(plan, "pause", EventKind.PLAN_PAUSED, reason=reason)
    running = Task.objects.select_for_update(no_key=True).filter(plan=plan, state=TaskState.RUNNING)
    stop(record, list(running), Control.PAUSE, actor, reason)


def resume_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Go on with all paused tasks, and take back pauses that were not obeyed yet.

    A plan that stood still because its failure budget was spent tolerates from now on what has
    failed so far; the next failure stops it again. A rejected gate asks for approval anew.
    """
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        tolerated = _tolerate(plan)
        record.apply(plan, "resume", EventKind.PLAN_RESUMED, reason=reason, data=tolerated)
        Wave.objects.filter(plan=plan, decision=Decision.REJECTED).update(
            decision=Decision.NONE, decided_by="", decided_at=None, decision_reason=""
        )
        tasks = Task.objects.select_for_update(no_key=True).filter(plan=plan)
        paused = list(tasks.filter(state=TaskState.PAUSED))
        record.apply_to_all(paused, "resume", EventKind.TASK_RESUMED, reason=reason)
        for task in tasks.filter(state=TaskState.RUNNING, control=Control.PAUSE):
            task.take_control_back()
            record.save(task)
            record.note(EventKind.TASK_RESUMED, task=task, reason=reason)
    scheduler.settle(plan_id)
    return plan


def cancel_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """End the plan: what has not begun never will, what runs stops at its next boundary.

    One that has failed is at its end: its tasks that have not begun are cancelled one by one.
    """
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        pending = Task.objects.filter(plan=plan, state=TaskState.PENDING)
        if plan.state == PlanState.FAILED and pending.exists():
            raise IllegalTransition(
                gettext_noop(
                    "%(what)s is failed and cannot be cancelled. Cancel its pending tasks, or "
                    "roll it back, which cancels them too."
                ),
                what=events.describe(plan),
            )
        record.apply(
            plan, "cancel", EventKind.PLAN_CANCELLED, reason=reason, finished_at=timezone.now()
        )
        _cancel_unfinished(record, plan, actor, reason)
    return plan


def retry_plan(
    plan_id: int,
    actor: Actor,
    *,
    from_checkpoint: bool = True,
    seen: Seen = None,
    reason: str = "",
) -> Plan:
    """Retry all failed tasks, and go on handing out what was halted (S4.2, S4.4)."""
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        tasks = list(eligible.retryable(plan).select_for_update(no_key=True))
        before = plan.state
        if plan.state != PlanState.RUNNING or not tasks:
            events.run_transition(plan, "retry")
        plan.halt = None
        record.save(plan)
        record.note(
            EventKind.PLAN_RETRIED,
            reason=reason,
            from_state=before,
            to_state=plan.state,
            data={"tasks": len(tasks), "fromCheckpoint": from_checkpoint},
        )
        for task in tasks:
            if not from_checkpoint or task.state == TaskState.ROLLED_BACK:
                task.start_over()
        record.apply_to_all(tasks, "retry", EventKind.TASK_RETRY_STARTED, reason=reason)
    scheduler.settle(plan_id)
    return plan


def roll_back_plan(plan_id: int, actor: Actor, *, seen: Seen = None, reason: str = "") -> Plan:
    """Take every tenant that the plan has changed back to where it was (S4.3, S4.4)."""
    with operating_on_plan(plan_id, actor, seen) as (plan, record):
        record.apply(plan, "roll_back", EventKind.PLAN_ROLLING_BACK, reason=reason)
        back = eligible.reversible(plan, once_more=True).select_for_update(no_key=True)
        record.apply_to_all(list(back), "roll_back", EventKind.TASK_ROLLING_BACK, reason=reason)
        _cancel_unfinished(record, plan, actor, reason)
    scheduler.settle(plan_id)
    return plan


def _tolerate(plan: Plan) -> dict[str, int]:
    """Raise a spent failure budget to what has failed; what is different by that."""
    if plan.halt is None or plan.failure_policy != FailurePolicy.CONTINUE:
        return {}
    plan.halt = None
    plan.failure_budget = eligible.failed(plan).count()
    return {"failureBudget": plan.failure_budget}


def _cancel_unfinished(record: events.Record, plan: Plan, actor: Actor, reason: str) -> None:
    unfinished = Task.objects.select_for_update(no_key=True).filter(
        plan=plan, state__in=(TaskState.PENDING, TaskState.RUNNING, TaskState.PAUSED)
    )
    stop(record, list(unfinished), Control.CANCEL, actor, reason)
