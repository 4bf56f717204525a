"""A plan: one switch of a set of tenants to a target environment."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from plans.conf import NAME_MAX_CHARS
from plans.models.environment import Environment
from plans.models.journal import Journal
from plans.models.tracked import TrackedModel


class PlanState(models.TextChoices):
    """The states of a plan (S2.1)."""

    CREATED = "CREATED", _("created")
    RUNNING = "RUNNING", _("running")
    PAUSED = "PAUSED", _("paused")
    COMPLETED = "COMPLETED", _("completed")
    FAILED = "FAILED", _("failed")
    CANCELLED = "CANCELLED", _("cancelled")
    ROLLING_BACK = "ROLLING_BACK", _("rolling back")
    ROLLED_BACK = "ROLLED_BACK", _("rolled back")
    ROLLBACK_FAILED = "ROLLBACK_FAILED", _("rollback failed")


MOVING_PLAN_STATES = (PlanState.RUNNING, PlanState.ROLLING_BACK)
"""States in which a plan hands tasks out."""
UNDER_WAY_PLAN_STATES = (*MOVING_PLAN_STATES, PlanState.PAUSED)
"""States in which a plan has begun and not ended."""
UNFINISHED_PLAN_STATES = (PlanState.CREATED, *UNDER_WAY_PLAN_STATES)


class FailurePolicy(models.TextChoices):
    """What a failed task means for its plan (S3.5)."""

    HALT = "halt", _("halt: hand out no more, let running tasks finish")
    CONTINUE = "continue", _("continue until the failure budget is spent")
    ROLLBACK = "rollback", _("roll the failed tenant back, then halt")


class Plan(TrackedModel):
    """One switch of a set of tenants, with its limits and policies.

    A transition carries the operator's verb and does not save: `plans.events` runs it and saves.
    """

    name = models.CharField(_("name"), max_length=NAME_MAX_CHARS)
    executor_type = models.CharField(_("executor type"), max_length=64)
    target = models.CharField(_("target environment"), max_length=5, choices=Environment.choices)
    max_concurrency = models.PositiveIntegerField(_("maximum concurrency"))
    failure_policy = models.CharField(
        _("failure policy"), max_length=8, choices=FailurePolicy.choices
    )
    failure_budget = models.PositiveIntegerField(
        _("failure budget"),
        null=True,
        blank=True,
        help_text=_("With the policy `continue`: how many failed tasks are tolerated."),
    )
    state = FSMField(
        _("state"), default=PlanState.CREATED, choices=PlanState.choices, protected=True
    )
    halt = models.JSONField(
        _("why nothing more is handed out"), null=True, blank=True, editable=False
    )
    current_wave = models.PositiveIntegerField(_("current wave"), default=0)
    journal = models.OneToOneField(
        Journal, on_delete=models.PROTECT, related_name="plan", verbose_name=_("journal")
    )
    created_by = models.CharField(_("created by"), max_length=150)
    started_by = models.CharField(_("started by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    revision = models.PositiveBigIntegerField(_("revision"), default=0)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-pk"]
        permissions = [
            ("operate_plan", _("create, start, pause, resume, cancel, retry and roll back")),
            ("approve_plan", _("approve gates")),
        ]
        indexes = [models.Index(fields=["state"], name="plan_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_concurrency__gte=1), name="plan_max_concurrency_positive"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    def get_state_display(self) -> Any:  # type: ignore[no-redef]
        """The state in words. Django's own hashes all choices at every call."""
        return PlanState(self.state).label

    @transition(state, source=PlanState.CREATED, target=PlanState.RUNNING)
    def start(self) -> None: ...

    @transition(state, source=PlanState.RUNNING, target=PlanState.PAUSED)
    def pause(self) -> None: ...

    @transition(state, source=PlanState.PAUSED, target=PlanState.RUNNING)
    def resume(self) -> None: ...

    @transition(
        state,
        source=[PlanState.CREATED, PlanState.RUNNING, PlanState.PAUSED],
        target=PlanState.CANCELLED,
    )
    def cancel(self) -> None: ...

    @transition(state, source=PlanState.RUNNING, target=PlanState.COMPLETED)
    def complete(self) -> None:
        self.halt = None

    @transition(state, source=PlanState.RUNNING, target=PlanState.FAILED)
    def fail(self) -> None: ...

    @transition(state, source=PlanState.FAILED, target=PlanState.RUNNING)
    def retry(self) -> None:
        self.finished_at = None

    @transition(
        state,
        source=[
            PlanState.RUNNING,
            PlanState.PAUSED,
            PlanState.COMPLETED,
            PlanState.FAILED,
            PlanState.CANCELLED,
            PlanState.ROLLBACK_FAILED,
        ],
        target=PlanState.ROLLING_BACK,
    )
    def roll_back(self) -> None:
        self.halt = None
        self.finished_at = None

    @transition(state, source=PlanState.ROLLING_BACK, target=PlanState.ROLLED_BACK)
    def finish_rollback(self) -> None: ...

    @transition(state, source=PlanState.ROLLING_BACK, target=PlanState.ROLLBACK_FAILED)
    def fail_rollback(self) -> None: ...
