"""A wave: an ordered part of a plan's tasks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from plans.models.plan import Plan
from plans.models.tracked import TrackedModel


class WaveMode(models.TextChoices):
    """How the tasks of a wave run (S3.1)."""

    CONCURRENT = "CONCURRENT", _("concurrent")
    FIFO = "FIFO", _("one at a time, in order")


class Wave(TrackedModel):
    """A part of a plan; it ends before the next begins."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="waves")
    index = models.PositiveIntegerField(_("index"), help_text=_("Counted from 0."))
    mode = models.CharField(
        _("mode"), max_length=10, choices=WaveMode.choices, default=WaveMode.CONCURRENT
    )
    size = models.PositiveIntegerField(_("number of tasks"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("wave")
        verbose_name_plural = _("waves")
        ordering = ["plan", "index"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "index"], name="wave_index_once_per_plan")
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.index + 1}"
