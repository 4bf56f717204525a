"""Commands to a plan."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Router

from plans import operations
from plans.actor import Permission
from plans.api.auth import ApiRequest, needs
from plans.api.commands import (
    Command,
    Failed,
    PlanCommanded,
    RetryCommand,
    RetrySelection,
    Selection,
    SelectionAnswer,
    Skipped,
)
from plans.api.schemas import PlanId, answers
from plans.message import Message
from plans.models import Task
from plans.queries.existing import existing_plan

router = Router(tags=["plans"], by_alias=True)

COMMANDED: dict[str, Any] = {
    "response": answers(PlanCommanded, 404, 409, 413),
    "exclude_unset": True,
    "auth": needs(Permission.OPERATE),
}
DECIDED: dict[str, Any] = {**COMMANDED, "auth": needs(Permission.APPROVE)}


@router.post("/plans/{plan_id}/start", summary="Start a plan", **COMMANDED)
def start_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Start running the waves."""
    plan = operations.start_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, started_at=plan.started_at or timezone.now())


@router.post("/plans/{plan_id}/pause", summary="Pause a plan", **COMMANDED)
def pause_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Hand out no more; running tasks pause at their next stage boundary."""
    plan = operations.pause_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, paused_at=timezone.now())


@router.post("/plans/{plan_id}/resume", summary="Resume a plan", **COMMANDED)
def resume_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Go on with all paused tasks."""
    plan = operations.resume_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, resumed_at=timezone.now())


@router.post("/plans/{plan_id}/cancel", summary="Cancel a plan", **COMMANDED)
def cancel_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """What has not begun never will; what runs stops at its next stage boundary."""
    plan = operations.cancel_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, cancelled_at=plan.finished_at or timezone.now())


@router.post("/plans/{plan_id}/retry", summary="Retry all failed tasks of a plan", **COMMANDED)
def retry_plan(
    request: ApiRequest, plan_id: PlanId, command: RetryCommand | None = None
) -> PlanCommanded:
    """Run the failed tasks again, and go on handing out what was halted."""
    plan = operations.retry_plan(plan_id, request.auth, **(command or RetryCommand()).options())
    return PlanCommanded.of(plan, retried_at=timezone.now())


@router.post("/plans/{plan_id}/rollback", summary="Roll a plan back", **COMMANDED)
def roll_back_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Take every tenant that the plan has changed back to where it was."""
    plan = operations.roll_back_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, rollback_started_at=timezone.now())


@router.post("/plans/{plan_id}/approve", summary="Approve a plan's gate", **DECIDED)
def approve_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Let the next wave begin. Not for who created or started the plan; send the revision as
    `seen`, because a state does not say at which gate the plan stands.
    """
    plan = operations.approve_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, approved_at=timezone.now())


@router.post("/plans/{plan_id}/reject", summary="Reject a plan's gate", **DECIDED)
def reject_plan(
    request: ApiRequest, plan_id: PlanId, command: Command | None = None
) -> PlanCommanded:
    """Pause the plan at its gate; resuming it asks for approval anew."""
    plan = operations.reject_plan(plan_id, request.auth, **(command or Command()).options())
    return PlanCommanded.of(plan, rejected_at=timezone.now())


class TaskVerb(StrEnum):
    """What can be done with several tasks at once, apart from a retry."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ROLLBACK = "rollback"


NOT_IN_PLAN = _("It is no task of this plan.")
SELECTED: dict[str, Any] = {
    "response": answers(SelectionAnswer, 404, 413),
    "auth": needs(Permission.OPERATE),
}


# Before the other verbs, whose address takes in this one.
@router.post("/plans/{plan_id}/tasks/retry", summary="Retry several tasks of a plan", **SELECTED)
def retry_tasks(request: ApiRequest, plan_id: PlanId, selection: RetrySelection) -> SelectionAnswer:
    """Each task for itself: one that refuses is skipped, with the reason, and stops no other."""
    options = {"from_checkpoint": selection.from_checkpoint}
    return _command(request, plan_id, operations.retry_task, selection, **options)


@router.post("/plans/{plan_id}/tasks/{verb}", summary="Command several tasks of a plan", **SELECTED)
def command_tasks(
    request: ApiRequest, plan_id: PlanId, verb: TaskVerb, selection: Selection
) -> SelectionAnswer:
    """Each task for itself: one that refuses is skipped, with the reason, and stops no other."""
    return _command(request, plan_id, operations.OF_TASKS[verb], selection)


def _command(
    request: ApiRequest,
    plan_id: int,
    operation: Callable[..., Task],
    selection: Selection,
    **options: Any,
) -> SelectionAnswer:
    asked = dict.fromkeys(selection.task_ids)
    of_plan = Task.objects.filter(plan=existing_plan(plan_id))
    own = asked.keys() & set(of_plan.values_list("pk", flat=True))
    chosen = [task_id for task_id in asked if task_id in own]
    results = operations.for_each(
        chosen, operation, request.auth, reason=selection.reason, **options
    )
    skipped = [Skipped(task_id=key, reason=str(why)) for key, why in results.skipped]
    skipped += [
        Skipped(task_id=key, reason=str(Message(NOT_IN_PLAN))) for key in asked if key not in own
    ]
    failed = [Failed(task_id=key, reason=str(why)) for key, why in results.failed]
    return SelectionAnswer(done=results.done, skipped=skipped, failed=failed)
