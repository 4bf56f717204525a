"""A stage run: one recorded attempt at one stage."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from plans.models.task import Task
from plans.models.tracked import TrackedModel


class StageRunState(models.TextChoices):
    """The states of a stage run (S2.3)."""

    RUNNING = "RUNNING", _("running")
    COMPLETED = "COMPLETED", _("completed")
    FAILED = "FAILED", _("failed")
    SKIPPED = "SKIPPED", _("skipped")


class Direction(models.TextChoices):
    """Towards the target, or back to the previous state."""

    FORWARD = "forward", _("forward")
    ROLLBACK = "rollback", _("rollback")


class StageRun(TrackedModel):
    """One attempt at one stage of a task, forward or rollback, with its result."""

    task = models.ForeignKey(
        Task, on_delete=models.PROTECT, related_name="stage_runs", verbose_name=_("task")
    )
    stage = models.CharField(_("stage"), max_length=64)
    index = models.PositiveSmallIntegerField(_("place in the pipeline"))
    direction = models.CharField(_("direction"), max_length=8, choices=Direction.choices)
    attempt = models.PositiveIntegerField(_("attempt"))
    state = FSMField(
        _("state"), default=StageRunState.RUNNING, choices=StageRunState.choices, protected=True
    )
    epoch = models.PositiveBigIntegerField(_("epoch"))
    result = models.JSONField(_("result"), null=True, blank=True)
    failure = models.JSONField(_("failure"), null=True, blank=True)
    effects = models.JSONField(
        _("outgoing calls"),
        null=True,
        blank=True,
        help_text=_("The first and the last ones, and how many there were."),
    )
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("stage run")
        verbose_name_plural = _("stage runs")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "stage", "direction", "attempt"], name="stage_attempt_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.stage} {self.direction} {self.attempt}"

    @transition(state, source=StageRunState.RUNNING, target=StageRunState.COMPLETED)
    def complete(self) -> None: ...

    @transition(state, source=StageRunState.RUNNING, target=StageRunState.FAILED)
    def fail(self) -> None: ...

    @transition(state, source=StageRunState.RUNNING, target=StageRunState.SKIPPED)
    def skip(self) -> None: ...
