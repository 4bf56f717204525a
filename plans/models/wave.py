"""A wave: an ordered part of a plan's tasks, and the gate that follows it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from plans.models.plan import Plan
from plans.models.tracked import TrackedModel


class WaveMode(models.TextChoices):
    """How the tasks of a wave run (S3.1)."""

    CONCURRENT = "CONCURRENT", _("concurrent")
    FIFO = "FIFO", _("one at a time, in order")


class Decision(models.TextChoices):
    """What a second person said of a gate (X1)."""

    NONE = "", _("none yet")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Wave(TrackedModel):
    """A part of a plan; it ends before the next begins.

    Its gate (X1) closes when it has ended, and opens for the next wave once the soak is over and,
    where that is asked for, a second person has approved. Times are the database's.
    """

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="waves", verbose_name=_("plan")
    )
    index = models.PositiveIntegerField(_("index"), help_text=_("Counted from 0."))
    mode = models.CharField(
        _("mode"), max_length=10, choices=WaveMode.choices, default=WaveMode.CONCURRENT
    )
    size = models.PositiveIntegerField(_("number of tasks"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    soak_seconds = models.PositiveIntegerField(_("soak time after it, in seconds"), default=0)
    approval = models.BooleanField(_("a second person approves after it"), default=False)
    gate_closed_at = models.DateTimeField(_("gate closed at"), null=True, blank=True)
    soak_until = models.DateTimeField(_("soaks until"), null=True, blank=True)
    decision = models.CharField(
        _("decision"), max_length=8, choices=Decision.choices, default=Decision.NONE, blank=True
    )
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision_reason = models.TextField(_("reason of the decision"), blank=True)
    gate_opened_at = models.DateTimeField(_("gate opened at"), null=True, blank=True)

    class Meta:
        verbose_name = _("wave")
        verbose_name_plural = _("waves")
        ordering = ["plan", "index"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "index"], name="wave_index_once_per_plan")
        ]
        indexes = [
            models.Index(
                fields=["plan"],
                condition=Q(gate_closed_at__isnull=False, gate_opened_at__isnull=True),
                name="wave_gate_closed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.index + 1}"

    @property
    def has_gate(self) -> bool:
        return bool(self.soak_seconds or self.approval)

    @property
    def number(self) -> int:
        """Counted from 1, as people count."""
        return self.index + 1

    @property
    def awaits_approval(self) -> bool:
        """Whether its gate is closed until somebody says yes."""
        is_closed = self.gate_closed_at is not None and self.gate_opened_at is None
        return is_closed and self.approval and self.decision != Decision.APPROVED
