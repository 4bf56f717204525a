"""What failed in a plan, grouped by its fingerprint: the stage and the error code."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Max, Q

from plans.message import Message
from plans.models import Plan, PlanState, Task, TaskState
from plans.queries.eligible import CHANGED, FAILED
from plans.queries.wall import switching_index

GROUPS_MAX = 20
RETRYABLE_IN = (PlanState.RUNNING, PlanState.FAILED)
UNDOABLE = (TaskState.FAILED, TaskState.ROLLBACK_FAILED)


@dataclass(frozen=True)
class FailureGroup:
    """Failed tasks with the same stage and code; one of them stands for all.

    `by_state` counts them, `moved` those whose traffic may have moved already, `undoable` those
    that there is something to roll back of. `may_retry`: the plan's state allows it.
    """

    stage: str
    code: str
    by_state: Counter[str]
    moved: int
    undoable: int
    message: Message | None
    sample_id: int
    sample_tenant: str
    may_retry: bool

    @property
    def count(self) -> int:
        return self.by_state.total()

    @property
    def failed(self) -> int:
        """Those that can go on from their checkpoint."""
        return self.by_state[TaskState.FAILED]

    @property
    def retryable(self) -> int:
        """Those that can start over: also what has been rolled back."""
        return self.failed + self.by_state[TaskState.ROLLED_BACK]

    @property
    def states(self) -> list[tuple[TaskState, int]]:
        """Which states they are in, for people."""
        return [(state, self.by_state[state]) for state in TaskState if self.by_state[state]]


def failure_groups(plan: Plan) -> list[FailureGroup]:
    """The groups of `plan`, the largest first; at most three statements, whatever failed."""
    keys = ("failure__stage", "failure__errorCode")
    may_have_moved = CHANGED & Q(reached__gt=switching_index(plan), state__in=UNDOABLE)
    rows = (
        Task.objects.filter(FAILED, plan=plan)
        .order_by()
        .values_list(*keys, "state")
        .annotate(
            count=Count("pk"),
            sample=Max("pk"),
            moved=Count("pk", filter=may_have_moved),
            undoable=Count("pk", filter=CHANGED & Q(state__in=UNDOABLE)),
        )
    )
    by_print: dict[tuple[str, str], list[tuple]] = {}
    for stage, code, *counts in rows:
        by_print.setdefault((stage or "", code or ""), []).append(tuple(counts))
    ordered = sorted(by_print.items(), key=lambda each: (-_size(each[1]), each[0]))[:GROUPS_MAX]
    samples = Task.objects.in_bulk([_sample(found) for _, found in ordered])
    return [_group(plan, *key, found, samples[_sample(found)]) for key, found in ordered]


def _size(found: list[tuple]) -> int:
    return sum(count for _state, count, *_rest in found)


def _sample(found: list[tuple]) -> int:
    return max(sample for _state, _count, sample, *_rest in found)


def _group(plan: Plan, stage: str, code: str, found: list[tuple], sample: Task) -> FailureGroup:
    return FailureGroup(
        stage=stage,
        code=code,
        by_state=Counter({state: count for state, count, *_rest in found}),
        moved=sum(row[3] for row in found),
        undoable=sum(row[4] for row in found),
        message=Message.from_json((sample.failure or {}).get("message")),
        sample_id=sample.pk,
        sample_tenant=sample.tenant_id,
        may_retry=plan.state in RETRYABLE_IN,
    )
