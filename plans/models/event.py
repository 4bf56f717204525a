"""An event: one recorded fact, never changed afterwards."""

import hashlib
from datetime import UTC
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from plans import canonical
from plans.errors import AppendOnly
from plans.models.journal import Journal
from plans.models.plan import Plan
from plans.models.task import Task


class EventKind(models.TextChoices):
    """What can be recorded (S2.6)."""

    PLAN_CREATED = "plan.created", _("plan created")
    PLAN_REFUSED = "plan.refused", _("plan refused")
    PLAN_STARTED = "plan.started", _("plan started")
    PLAN_PAUSED = "plan.paused", _("plan paused")
    PLAN_RESUMED = "plan.resumed", _("plan resumed")
    PLAN_HALTED = "plan.halted", _("plan halted")
    PLAN_RETRIED = "plan.retried", _("plan retried")
    PLAN_COMPLETED = "plan.completed", _("plan completed")
    PLAN_FAILED = "plan.failed", _("plan failed")
    PLAN_CANCELLED = "plan.cancelled", _("plan cancelled")
    PLAN_ROLLING_BACK = "plan.rolling_back", _("plan rolling back")
    PLAN_ROLLED_BACK = "plan.rolled_back", _("plan rolled back")
    PLAN_ROLLBACK_FAILED = "plan.rollback_failed", _("plan rollback failed")
    WAVE_STARTED = "wave.started", _("wave started")
    WAVE_COMPLETED = "wave.completed", _("wave completed")
    GATE_CLOSED = "gate.closed", _("gate closed")
    GATE_APPROVED = "gate.approved", _("gate approved")
    GATE_REJECTED = "gate.rejected", _("gate rejected")
    GATE_OPENED = "gate.opened", _("gate opened")
    STOP_CALLED = "stop.called", _("everything stopped")
    STOP_LIFTED = "stop.lifted", _("stop lifted")
    TASK_CREATED = "task.created", _("created")
    TASK_VALIDATED = "task.validated", _("validated")
    TASK_VALIDATION_FAILED = "task.validation_failed", _("validation failed")
    TASK_STARTED = "task.started", _("started")
    TASK_PROGRESS = "task.progress", _("progress")
    TASK_WAITING = "task.waiting", _("waiting")
    TASK_PAUSE_REQUESTED = "task.pause_requested", _("pause requested")
    TASK_PAUSED = "task.paused", _("paused")
    TASK_RESUMED = "task.resumed", _("resumed")
    TASK_CANCEL_REQUESTED = "task.cancel_requested", _("cancel requested")
    TASK_CANCELLED = "task.cancelled", _("cancelled")
    TASK_RETRY_STARTED = "task.retry_started", _("retry started")
    TASK_COMPLETED = "task.completed", _("completed")
    TASK_FAILED = "task.failed", _("failed")
    TASK_ROLLING_BACK = "task.rolling_back", _("rolling back")
    TASK_ROLLED_BACK = "task.rolled_back", _("rolled back")
    TASK_ROLLBACK_FAILED = "task.rollback_failed", _("rollback failed")
    TASK_TAKEN_OVER = "task.taken_over", _("taken over")
    STAGE_STARTED = "stage.started", _("stage started")
    STAGE_COMPLETED = "stage.completed", _("stage completed")
    STAGE_SKIPPED = "stage.skipped", _("stage skipped")
    STAGE_FAILED = "stage.failed", _("stage failed")


class EventQuerySet(models.QuerySet["Event"]):
    """Events are read and added. What guards the table itself: docs/audit.md."""

    def update(self, **changes: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class Event(models.Model):
    """One fact of a journal. `hash` chains its content to the event before it (X5).

    Append-only: saving a stored event again or deleting one raises `AppendOnly`.
    """

    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, related_name="events", verbose_name=_("journal")
    )
    seq = models.PositiveBigIntegerField(_("sequence number"))
    plan = models.ForeignKey(
        Plan,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("plan"),
    )
    task = models.ForeignKey(
        Task,
        verbose_name=_("task"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,  # It is the first column of an index below.
    )
    tenant_id = models.CharField(_("tenant id"), max_length=64, blank=True)
    kind = models.CharField(_("kind"), max_length=32, choices=EventKind.choices)
    at = models.DateTimeField(_("when"))
    actor = models.CharField(_("who"), max_length=150)
    epoch = models.PositiveBigIntegerField(_("epoch"), null=True, blank=True)
    from_state = models.CharField(_("from"), max_length=20, blank=True)
    to_state = models.CharField(_("to"), max_length=20, blank=True)
    reason = models.TextField(_("why"), blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    hash = models.CharField(_("hash"), max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["journal", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["journal", "seq"], name="event_seq_once_per_journal")
        ]
        indexes = [
            models.Index(fields=["plan", "seq"], name="event_plan_seq"),
            models.Index(fields=["task", "seq"], name="event_task_seq"),
            models.Index(
                fields=["plan", "seq"], condition=Q(task__isnull=True), name="event_of_no_task"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journal_id}:{self.seq} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        # Should the key exist already, the database refuses.
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def get_kind_display(self) -> Any:  # type: ignore[no-redef]
        """The kind in words. Django's own hashes all choices at every call."""
        return EventKind(self.kind).label

    def chained_hash(self, hash_before: str) -> str:
        """SHA-256 (hex) of the hash before and this event's content as canonical JSON.

        `data` and the texts must be storable (`plans.canonical`), else the hash of what the
        database gives back differs.
        """
        content: dict[str, Any] = {
            "journal": self.journal_id,
            "seq": self.seq,
            "plan": self.plan_id,
            "task": self.task_id,
            "tenant": self.tenant_id,
            "kind": str(self.kind),
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "epoch": self.epoch,
            "from": self.from_state,
            "to": self.to_state,
            "reason": self.reason,
            "data": self.data,
        }
        return hashlib.sha256(hash_before.encode() + canonical.dumps(content).encode()).hexdigest()
