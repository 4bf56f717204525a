"""Which tasks an operation may act on, as conditions that one query can answer."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from plans.models import UNFINISHED_STATES, Plan, Task, TaskState

FAILED = Q(state__in=(TaskState.FAILED, TaskState.ROLLBACK_FAILED)) | Q(
    state=TaskState.ROLLED_BACK, failure__isnull=False
)
"""Tasks that count as failed, also those that were rolled back for it."""

RETRYABLE = Q(state=TaskState.FAILED) | Q(state=TaskState.ROLLED_BACK, failure__isnull=False)
"""What "retry all failed" means."""

CHANGED = Q(reached__gt=0, previous__isnull=False)
"""Tasks that have (perhaps) changed their tenant: there is something to roll back."""


def overtaken() -> Exists:
    """A later task has changed the tenant since: this one's previous state is history."""
    later = Task.objects.filter(CHANGED, tenant=OuterRef("tenant"), pk__gt=OuterRef("pk"))
    return Exists(later.exclude(state=TaskState.ROLLED_BACK))


def tenant_is_busy() -> Exists:
    """Another task holds the tenant."""
    others = Task.objects.filter(tenant=OuterRef("tenant"), state__in=UNFINISHED_STATES)
    return Exists(others.exclude(pk=OuterRef("pk")))


def failed(plan: Plan, *, also_on_their_way_back: bool = False) -> QuerySet[Task]:
    """The failed tasks of `plan`, latest first; those that are being rolled back if asked for."""
    counted = FAILED
    if also_on_their_way_back:
        counted |= Q(state=TaskState.ROLLING_BACK, failure__isnull=False)
    latest_first = F("finished_at").desc(nulls_last=True)
    return Task.objects.filter(counted, plan=plan).order_by(latest_first)


def retryable(plan: Plan) -> QuerySet[Task]:
    """What a retry of the whole plan takes up again."""
    return Task.objects.filter(RETRYABLE, plan=plan).exclude(overtaken()).exclude(tenant_is_busy())


def reversible(plan: Plan, *, once_more: bool = False) -> QuerySet[Task]:
    """What a rollback of the whole plan undoes; running tasks join once they have stopped.

    With `once_more` also what an earlier rollback failed to undo.
    """
    states = [TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED, TaskState.PAUSED]
    if once_more:
        states.append(TaskState.ROLLBACK_FAILED)
    return (
        Task.objects.filter(CHANGED, plan=plan, state__in=states)
        .exclude(overtaken())
        .exclude(tenant_is_busy())
    )
