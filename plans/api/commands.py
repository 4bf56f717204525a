"""What may be said along with a command, and what is said back."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from plans import conf
from plans.api.schemas import INTEGER, Answer, Id, Request, WithoutFraction
from plans.faults import Invalid
from plans.models import Plan, PlanState, Task, TaskState
from plans.validation.text import problem_of_reason


def _keepable(reason: str) -> str:
    if problem := problem_of_reason(reason):
        raise Invalid(problem.template, **problem.values)
    return reason


Reason = Annotated[
    str,
    AfterValidator(_keepable),
    Field(
        description="Why; it is recorded", json_schema_extra={"maxLength": conf.REASON_MAX_CHARS}
    ),
]
Seen = Annotated[
    Annotated[int, Field(json_schema_extra=INTEGER)] | str | None,
    WithoutFraction,
    Field(description="The state or the revision that you saw; if it has moved on: 409"),
]


class Command(Request):
    """Body of a command; it may be left out."""

    reason: Reason = ""
    seen: Seen = None

    def options(self) -> dict[str, Any]:
        """Keyword arguments of the operation."""
        return {"reason": self.reason, "seen": self.seen}


class RetryCommand(Command):
    """Body of a retry: from the checkpoint, or from scratch."""

    from_checkpoint: bool = True

    def options(self) -> dict[str, Any]:
        return super().options() | {"from_checkpoint": self.from_checkpoint}


class Selection(Request):
    """Body of a command to several tasks of a plan."""

    task_ids: Annotated[list[Id], Field(max_length=conf.TENANTS_PER_PLAN_MAX)]
    reason: Reason = ""


class RetrySelection(Selection):
    """Body of a retry of several tasks: from their checkpoints, or from scratch."""

    from_checkpoint: bool = True


class Skipped(Answer):
    """A task to which nothing was done, and why."""

    task_id: int
    reason: str


class Failed(Answer):
    """A task with which something went wrong, and what."""

    task_id: int
    reason: str


class SelectionAnswer(Answer):
    """What became of each task."""

    done: list[int]
    skipped: list[Skipped]
    failed: list[Failed]


class PlanCommanded(Answer):
    """A plan after a command; the one time that is there says when that was."""

    plan_id: int
    state: PlanState
    revision: int
    started_at: datetime | None = None
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    cancelled_at: datetime | None = None
    retried_at: datetime | None = None
    rollback_started_at: datetime | None = None
    approved_at: datetime | None = None
    rejected_at: datetime | None = None

    @classmethod
    def of(cls, plan: Plan, **at: datetime) -> Self:
        return cls.model_validate(
            {"plan_id": plan.pk, "state": plan.state, "revision": plan.revision, **at}
        )


class TaskCommanded(Answer):
    """A task after a command.

    A task that a worker is at obeys at its next stage boundary: until then `requested` says so
    and `pausedAt` or `cancelledAt` is null.
    """

    task_id: int
    state: TaskState
    revision: int
    requested: str | None
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    cancelled_at: datetime | None = None
    retried_at: datetime | None = None
    rollback_started_at: datetime | None = None

    @classmethod
    def of(cls, task: Task, **at: datetime | None) -> Self:
        return cls.model_validate(
            {
                "task_id": task.pk,
                "state": task.state,
                "revision": task.revision,
                "requested": task.control or None,
                **at,
            }
        )
