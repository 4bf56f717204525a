"""1. Every task ends in a final state or waits for a person; none is stuck."""

from collections.abc import Iterator

from plans.models import (
    ACTIVE_STATES,
    UNFINISHED_STATES,
    EventKind,
    Plan,
    PlanState,
    StageRunState,
    Task,
    TaskState,
)
from tests.chaos.evidence import Evidence

TITLE = "every task has ended or waits for a person"
MAY_HOLD_PENDING = {PlanState.CREATED, PlanState.RUNNING, PlanState.PAUSED, PlanState.FAILED}
MAY_HOLD = {
    PlanState.COMPLETED: {TaskState.COMPLETED, TaskState.CANCELLED, TaskState.ROLLED_BACK},
    PlanState.CANCELLED: set(TaskState) - {*UNFINISHED_STATES},
    PlanState.ROLLED_BACK: set(TaskState) - {*UNFINISHED_STATES, TaskState.ROLLBACK_FAILED},
    PlanState.ROLLBACK_FAILED: set(TaskState) - {*UNFINISHED_STATES},
}
"""Which tasks a plan in such a state may have. A plan's state says how its own work has ended: what
is done with single tasks afterwards does not change it."""


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = [*_tasks(evidence), *_plans(evidence), *_runs(evidence)]
    return f"{len(evidence.tasks)} tasks of {len(evidence.plans)} plans", violations


def _tasks(evidence: Evidence) -> Iterator[str]:
    for task in evidence.tasks:
        if task.state in ACTIVE_STATES:
            yield f"task {task} is {task.state} in {task.step}, and nobody is at it"
            continue
        held = (task.admitted, task.lease_owner, task.control, task.wake_at)
        if held != (False, "", "", None):
            yield f"task {task} is {task.state} and holds {held}"


def _plans(evidence: Evidence) -> Iterator[str]:
    for plan in evidence.plans:
        states = {TaskState(task.state) for task in evidence.tasks_of_plan[plan.pk]}
        if plan.state == PlanState.ROLLING_BACK:
            yield f"plan {plan} is rolling back, and nothing goes on"
        elif plan.state == PlanState.RUNNING and not _waits(plan, states):
            yield f"plan {plan} is running, and nothing goes on"
        if TaskState.PENDING in states and plan.state not in MAY_HOLD_PENDING:
            yield f"plan {plan} is {plan.state} and has tasks that never began"
        wrong = states - MAY_HOLD.get(PlanState(plan.state), states)
        if TaskState.ROLLBACK_FAILED in wrong and _failed_after(evidence, plan):
            wrong.remove(TaskState.ROLLBACK_FAILED)
        if wrong:
            yield f"plan {plan} is {plan.state} and has tasks that are {sorted(wrong)}"


def _failed_after(evidence: Evidence, plan: Plan) -> bool:
    """Whether all rollbacks that failed were of single tasks, asked for after the plan's end."""
    facts = [fact for fact in evidence.facts if fact.plan_id == plan.pk]
    ends = [fact.seq for fact in facts if not fact.task_id and fact.to_state == plan.state]
    ended, asked = max(ends, default=0), dict[int | None, int]()
    for fact in facts:
        if fact.kind == EventKind.TASK_ROLLING_BACK:
            asked[fact.task_id] = max(fact.seq, asked.get(fact.task_id, 0))
    return all(
        asked.get(task.pk, 0) > ended
        for task in evidence.tasks_of_plan[plan.pk]
        if task.state == TaskState.ROLLBACK_FAILED
    )


def _waits(plan: Plan, states: set[TaskState]) -> bool:
    """Whether a person must do something before the plan goes on."""
    awaits_approval = any(wave.awaits_approval for wave in plan.waves.all())
    return TaskState.PAUSED in states or awaits_approval


def _runs(evidence: Evidence) -> Iterator[str]:
    for run in evidence.runs:
        is_open = run.finished_at is None or run.state == StageRunState.RUNNING
        task: Task = evidence.task_of[run.task_id]
        if is_open and task.state not in ACTIVE_STATES:
            yield f"task {task} is {task.state}, and its stage run {run} has no end"
