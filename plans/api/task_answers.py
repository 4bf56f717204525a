"""Tasks as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from django.utils.translation import gettext as _
from pydantic import Field

from plans.api.schemas import Answer
from plans.message import Message
from plans.models import ACTIVE_STATES, Direction, StageRun, StageRunState, Task, TaskState


class FailureInfo(Answer):
    """Why a task or a stage run failed."""

    reason: str
    error_code: str
    timestamp: datetime
    kind: str
    stage: str
    retryable: bool

    @classmethod
    def of(cls, failure: dict[str, Any] | None) -> Self | None:
        if not failure:
            return None
        # Without a message: what was stored before failures had one.
        message = Message.from_json(failure.get("message"))
        return cls.model_validate(failure | ({"reason": str(message)} if message else {}))


class CheckpointData(Answer):
    """The finished stages, and the one that failed."""

    completed_steps: list[str]
    failed_step: str | None


class Checkpoint(Answer):
    """Where the task would go on."""

    step: str
    data: CheckpointData


class TaskBrief(Answer):
    """A task in a list."""

    task_id: int
    plan_id: int
    tenant_id: str
    state: TaskState
    wave: int = Field(description="Counted from 0")
    position: int
    step: str | None = Field(description="The stage that it is at, or was at last")
    finished_stages: int
    total_stages: int
    requested: str | None = Field(description="pause or cancel: asked for and not obeyed yet")
    waiting_for: str | None
    wake_at: datetime | None
    failure_info: FailureInfo | None
    checkpoint: Checkpoint | None
    retries: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    revision: int = Field(description="Changes with every change; may be sent back as `seen`")

    @classmethod
    def fields_of(cls, task: Task) -> dict[str, Any]:
        return {
            "task_id": task.pk,
            "plan_id": task.plan_id,
            "tenant_id": task.tenant_id,
            "state": task.state,
            "wave": task.wave.index,
            "position": task.position,
            "step": task.step or None,
            "finished_stages": task.cursor,
            "total_stages": len(task.pipeline),
            "requested": task.control or None,
            "waiting_for": _waiting_for(task),
            "wake_at": task.wake_at,
            "failure_info": FailureInfo.of(task.failure),
            "checkpoint": task.checkpoint,
            "retries": task.retries,
            "created_at": task.created_at,
            "started_at": task.started_at,
            "finished_at": task.finished_at,
            "revision": task.revision,
        }

    @classmethod
    def of_all(cls, tasks: Sequence[Task]) -> list[Self]:
        return [cls.model_validate(cls.fields_of(task)) for task in tasks]


class StageRunAnswer(Answer):
    """One attempt at one stage."""

    stage: str
    direction: Direction
    attempt: int
    state: StageRunState
    epoch: int
    result: dict[str, Any] | None
    failure_info: FailureInfo | None
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: StageRun) -> Self:
        return cls(
            stage=run.stage,
            direction=Direction(run.direction),
            attempt=run.attempt,
            state=StageRunState(run.state),
            epoch=run.epoch,
            result=run.result,
            failure_info=FailureInfo.of(run.failure),
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class TaskDetail(TaskBrief):
    """A task with its pipeline, where it drives its tenant, and every attempt at a stage."""

    executor_type: str
    pipeline: list[str]
    target: dict[str, Any]
    previous: dict[str, Any] | None = Field(description="The tenant before the task changed it")
    worker: str | None
    epoch: int
    stage_runs: list[StageRunAnswer]

    @classmethod
    def of(cls, task: Task) -> Self:
        fields = cls.fields_of(task) | {
            "executor_type": task.plan.executor_type,
            "pipeline": [spec["name"] for spec in task.pipeline],
            "target": task.target,
            "previous": task.previous,
            "worker": task.lease_owner or None,
            "epoch": task.lease_epoch,
            "stage_runs": [StageRunAnswer.of(run) for run in task.stage_runs.order_by("pk")],
        }
        return cls.model_validate(fields)


def _waiting_for(task: Task) -> str | None:
    if note := Message.from_json(task.wait_note):
        return str(note)
    if task.state in ACTIVE_STATES and not task.admitted:
        return _("a free slot of its plan")
    return None
