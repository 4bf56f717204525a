"""What failed tasks mean for their plan, which is locked: its policy, and why it is halted."""

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from plans.events import Record
from plans.message import Message
from plans.models import EventKind, FailurePolicy, Plan, PlanState, Task, TaskState
from plans.queries import eligible

NOT_BEGUN = (
    gettext_noop("%(count)s tenant was not begun"),
    gettext_noop("%(count)s tenants were not begun"),
)
TELLS_WHY_HALTED = (PlanState.RUNNING, PlanState.PAUSED, PlanState.FAILED)


def apply_policy(record: Record, plan: Plan) -> None:
    """What the failed tasks mean for the plan (S3.5)."""
    failed = eligible.failed(plan).count()
    if not failed:
        return
    why = _too_many(plan, eligible.failed(plan), failed)
    if plan.failure_policy == FailurePolicy.ROLLBACK:
        roll_back(record, eligible.reversible(plan).filter(state=TaskState.FAILED))
    if plan.halt is None and why is not None:
        plan.halt = why.as_json()
        record.save(plan)
        data = {"why": why.as_json()}
        record.note(EventKind.PLAN_HALTED, reason=why.english, data=data)
        left = Task.objects.filter(plan=plan, state=TaskState.PENDING)
        if plan.failure_policy == FailurePolicy.CONTINUE and left.exists():
            # Its budget is spent (X1): a person decides whether it goes on. What runs may finish.
            record.apply(plan, "pause", EventKind.PLAN_PAUSED, reason=why.english, data=data)


def renew_halt(record: Record, plan: Plan) -> None:
    """Say why a halted plan hands out nothing more, as its tasks stand now.

    Others fail after the first, and what has failed is made good.
    """
    if plan.state not in TELLS_WHY_HALTED:
        return
    failed = eligible.failed(plan, also_on_their_way_back=True)
    left = Task.objects.filter(plan=plan, state=TaskState.PENDING).count()
    why = _too_many(plan, failed, failed.count())
    if why is None and left:
        one, more = NOT_BEGUN
        why = Message(one if left == 1 else more, {"count": left})
    halt = why.as_json() if why else None
    if halt != plan.halt:
        plan.halt = halt
        record.save(plan)


def _too_many(plan: Plan, tasks: QuerySet[Task], failed: int) -> Message | None:
    """That more have failed than are tolerated, if so; `tasks` are the `failed` ones."""
    budget = plan.failure_budget if plan.failure_policy == FailurePolicy.CONTINUE else 0
    if budget is None or failed <= budget:
        return None
    return Message(
        gettext_noop("%(failed)s failed and %(budget)s are tolerated; the latest is %(tenant)s"),
        {"failed": failed, "budget": budget, "tenant": tasks[0].tenant_id},
    )


def roll_back(record: Record, tasks: QuerySet[Task]) -> None:
    """Send these tasks back; they are locked first."""
    locked = list(tasks.select_for_update(no_key=True))
    record.apply_to_all(locked, "roll_back", EventKind.TASK_ROLLING_BACK)
