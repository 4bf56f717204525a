"""How failures, checkpoints and results are written down."""

from typing import Any

from django.utils import timezone

from plans.canonical import dumps, storable, storable_text
from plans.errors import StageError
from plans.message import Message
from plans.models import Task
from plans.stages.base import Done, Skipped


def describe_failure(error: StageError, stage: str) -> dict[str, Any]:
    """The failure as it is stored: kind, code, reason, stage, time and the error's own values."""
    reason = storable_text(error.message.english)
    message = storable(error.message.as_json())
    try:
        dumps(message)
        Message(**message).english  # noqa: B018 - what cannot be shown must not be stored
    except (TypeError, ValueError):  # Its values are no JSON, as another package's may be.
        message = Message("%(error)s", {"error": reason}).as_json()
    return {
        "kind": error.kind.value,
        "errorCode": error.code,
        "reason": reason,
        "message": message,
        "stage": stage,
        "retryable": error.retryable,
        "timestamp": timezone.now().isoformat(),
    }


def checkpoint_at(task: Task, step: str, failed_step: str | None = None) -> dict[str, Any]:
    """The checkpoint after `step`: what is needed to go on, in the shape of the API."""
    return {
        "step": step,
        "data": {
            "completedSteps": [spec["name"] for spec in task.pipeline[: task.cursor]],
            "failedStep": failed_step,
        },
    }


def result_of(ending: Done | Skipped) -> dict[str, Any]:
    """What a finished stage left for people."""
    if isinstance(ending, Skipped):
        return {"result": {"why": ending.why.as_json()}}
    return {"result": ending.result}
