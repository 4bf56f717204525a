"""What is happening to a task, in one word: its state, and for a running one what it is about."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from plans.models import TaskState


class Condition(models.TextChoices):
    """A task's state as people see it; the values are also the names of shapes on the walls."""

    PENDING = "pending", _("pending")
    QUEUED = "queued", _("waiting for a slot")
    CALLED = "called", _("waiting for a worker")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting")
    STOPPING = "stopping", _("stopping at the next boundary")
    PAUSED = "paused", _("paused")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    ROLLING_BACK = "rolling_back", _("rolling back")
    ROLLED_BACK = "rolled_back", _("rolled back")
    ROLLBACK_FAILED = "rollback_failed", _("rollback failed")


def condition_of(
    state: str, admitted: bool, lease_owner: str, wake_at: datetime | None, control: str
) -> Condition:
    """The condition of a task with these fields."""
    if state != TaskState.RUNNING:
        return Condition(state.lower())
    if control:
        return Condition.STOPPING
    if not admitted:
        return Condition.QUEUED
    if lease_owner:
        return Condition.RUNNING
    return Condition.CALLED if wake_at is None else Condition.WAITING
