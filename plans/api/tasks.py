"""Look at tasks and command one."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Query, Router

from plans import operations
from plans.actor import Permission
from plans.api.auth import ApiRequest, needs
from plans.api.commands import Command, RetryCommand, TaskCommanded
from plans.api.lookups import require_storable
from plans.api.schemas import (
    OptionalId,
    OptionalText,
    Page,
    Paging,
    SomeOf,
    TaskId,
    answers,
    page_of,
)
from plans.api.task_answers import TaskBrief, TaskDetail
from plans.models import Task, TaskState
from plans.queries import lists
from plans.queries.existing import existing_task

router = Router(tags=["tasks"], by_alias=True)

COMMANDED: dict[str, Any] = {
    "response": answers(TaskCommanded, 404, 409, 413),
    "exclude_unset": True,
    "auth": needs(Permission.OPERATE),
}


class TaskFilters(Paging):
    """Which tasks."""

    plan_id: OptionalId = None
    tenant_id: OptionalText = None
    state: SomeOf[TaskState] = []


@router.get("/tasks", response=answers(Page[TaskBrief]), summary="List tasks")
def list_tasks(request: ApiRequest, filters: Query[TaskFilters]) -> Page[TaskBrief]:
    """By plan, the newest first, and in it by position."""
    require_storable("tenantId", filters.tenant_id)
    found = lists.tasks(filters.plan_id, filters.tenant_id, filters.state)
    return Page[TaskBrief](**page_of(found, filters, TaskBrief.of_all))


@router.get("/tasks/{task_id}", response=answers(TaskDetail, 404), summary="Look at a task")
def get_task(request: ApiRequest, task_id: TaskId) -> TaskDetail:
    """With its failure, its checkpoint and every attempt at a stage."""
    return TaskDetail.of(existing_task(task_id))


@router.post("/tasks/{task_id}/retry", summary="Retry a task", **COMMANDED)
def retry_task(
    request: ApiRequest, task_id: TaskId, command: RetryCommand | None = None
) -> TaskCommanded:
    """Run a failed or rolled back task again, from its checkpoint or from scratch."""
    task = operations.retry_task(task_id, request.auth, **(command or RetryCommand()).options())
    return TaskCommanded.of(task, retried_at=timezone.now())


@router.post("/tasks/{task_id}/pause", summary="Pause a task", **COMMANDED)
def pause_task(
    request: ApiRequest, task_id: TaskId, command: Command | None = None
) -> TaskCommanded:
    """At once, or at the next stage boundary if a worker is at it."""
    task = operations.pause_task(task_id, request.auth, **(command or Command()).options())
    return TaskCommanded.of(task, paused_at=_now_if(task, TaskState.PAUSED))


@router.post("/tasks/{task_id}/resume", summary="Resume a task", **COMMANDED)
def resume_task(
    request: ApiRequest, task_id: TaskId, command: Command | None = None
) -> TaskCommanded:
    """Go on after a pause, or take back one that was not obeyed yet."""
    task = operations.resume_task(task_id, request.auth, **(command or Command()).options())
    return TaskCommanded.of(task, resumed_at=timezone.now())


@router.post("/tasks/{task_id}/cancel", summary="Cancel a task", **COMMANDED)
def cancel_task(
    request: ApiRequest, task_id: TaskId, command: Command | None = None
) -> TaskCommanded:
    """At once, or at the next stage boundary if a worker is at it."""
    task = operations.cancel_task(task_id, request.auth, **(command or Command()).options())
    return TaskCommanded.of(task, cancelled_at=_now_if(task, TaskState.CANCELLED))


@router.post("/tasks/{task_id}/rollback", summary="Roll a task back", **COMMANDED)
def roll_back_task(
    request: ApiRequest, task_id: TaskId, command: Command | None = None
) -> TaskCommanded:
    """Take the tenant back to where it was before the task changed anything."""
    task = operations.roll_back_task(task_id, request.auth, **(command or Command()).options())
    return TaskCommanded.of(task, rollback_started_at=timezone.now())


def _now_if(task: Task, state: TaskState) -> datetime | None:
    return timezone.now() if task.state == state else None
