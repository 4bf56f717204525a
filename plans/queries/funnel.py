"""The stage funnel: how many of a plan's tasks stand at which stage, and which ones those are."""

from dataclasses import dataclass

from django.db.models import Q

from plans.models import Plan, Task, TaskState
from plans.queries.tally import Tally, TallyRow

FORWARD = (TaskState.RUNNING, TaskState.PAUSED, TaskState.FAILED)
"""States in which a task stands at the stage after those that it has finished."""
BACKWARD = (TaskState.ROLLING_BACK, TaskState.ROLLBACK_FAILED)
"""States in which it stands at the last one that is not undone."""
STILL_FAILED = (TaskState.FAILED, TaskState.ROLLBACK_FAILED)


@dataclass(frozen=True)
class StageStep:
    """A step of the funnel: how many tasks are past the stage, and how many stand at it.

    `here` are under way, forward or back; `paused` and `failed` wait there for a person.
    """

    name: str
    finished: int
    here: int
    failed: int
    total: int
    paused: int = 0

    @property
    def percent(self) -> str:
        return f"{100 * self.finished / self.total:.2f}" if self.total else "0"


def stage_names(plan: Plan) -> list[str]:
    """The stages of the plan's pipeline, in order; one statement."""
    pipeline = Task.objects.filter(plan=plan).values_list("pipeline", flat=True).first() or []
    return [str(spec["name"]) for spec in pipeline]


def stage_funnel(plan: Plan, tally: Tally) -> list[StageStep]:
    """The pipeline's stages, with how many tasks are past each of them and how many are at it."""
    return [_step(name, index, tally) for index, name in enumerate(stage_names(plan))]


def _step(name: str, index: int, tally: Tally) -> StageStep:
    at = [row for row in tally.rows if _stands_at(row, index)]

    def count(*states: TaskState) -> int:
        return sum(row.count for row in at if row.state in states)

    return StageStep(
        name=name,
        finished=sum(row.count for row in tally.rows if row.cursor > index),
        here=count(TaskState.RUNNING, TaskState.ROLLING_BACK),
        failed=count(*STILL_FAILED),
        total=tally.total,
        paused=count(TaskState.PAUSED),
    )


def _stands_at(row: TallyRow, index: int) -> bool:
    return stage_index(row.state, row.cursor) == index


def stage_index(state: str, cursor: int) -> int | None:
    """The place of the stage at which a task stands; None where it stands at none."""
    if state in BACKWARD:
        return cursor - 1
    return cursor if state in FORWARD else None


def standing_at(plan: Plan, stage: str) -> Q:
    """The tasks that the funnel counts at `stage`; none where the pipeline has no such stage."""
    names = stage_names(plan)
    if stage not in names:
        return Q(pk__in=[])
    index = names.index(stage)
    return Q(state__in=FORWARD, cursor=index) | Q(state__in=BACKWARD, cursor=index + 1)
