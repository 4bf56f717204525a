"""A task: one tenant's switch inside a plan."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from plans.models.plan import Plan
from plans.models.tenant import Tenant
from plans.models.tracked import TrackedModel
from plans.models.wave import Wave


class TaskState(models.TextChoices):
    """The states of a task (S2.2)."""

    PENDING = "PENDING", _("pending")
    RUNNING = "RUNNING", _("running")
    PAUSED = "PAUSED", _("paused")
    COMPLETED = "COMPLETED", _("completed")
    FAILED = "FAILED", _("failed")
    CANCELLED = "CANCELLED", _("cancelled")
    ROLLING_BACK = "ROLLING_BACK", _("rolling back")
    ROLLED_BACK = "ROLLED_BACK", _("rolled back")
    ROLLBACK_FAILED = "ROLLBACK_FAILED", _("rollback failed")


ACTIVE_STATES = (TaskState.RUNNING, TaskState.ROLLING_BACK)
"""States in which a worker has something to do."""

UNFINISHED_STATES = (
    TaskState.PENDING,
    TaskState.RUNNING,
    TaskState.PAUSED,
    TaskState.ROLLING_BACK,
)
"""States in which a task holds its tenant: no other task may have it (S1.4)."""


class Control(models.TextChoices):
    """What an operator asked of a running task; it obeys at the next stage boundary (S3.3)."""

    NONE = "", _("nothing")
    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("cancel")


def _has_something_to_undo(task: Any) -> bool:
    return bool(task.has_changed_its_tenant)


class Task(TrackedModel):
    """One tenant's switch. All that its runner needs is in this one row.

    `cursor` counts the stages that stand finished; `reached` the stages that were ever begun
    since the tenant was last in its previous state, so a rollback undoes exactly
    `pipeline[:reached]`, last first. `admitted` is a slot of the plan's `max_concurrency`.
    """

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("plan")
    )
    wave = models.ForeignKey(
        Wave, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("wave")
    )
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("tenant")
    )
    position = models.PositiveIntegerField(_("position in the plan"))
    state = FSMField(
        _("state"), default=TaskState.PENDING, choices=TaskState.choices, protected=True
    )
    revision = models.PositiveBigIntegerField(_("revision"), default=0)

    pipeline = models.JSONField(_("pipeline"), help_text=_("The stages as they were at creation."))
    cursor = models.PositiveSmallIntegerField(_("finished stages"), default=0)
    reached = models.PositiveSmallIntegerField(_("stages ever begun"), default=0)
    step = models.CharField(_("current stage"), max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries of the current stage"), default=0)
    attempts = models.JSONField(_("attempts by stage"), default=dict, blank=True)
    context = models.JSONField(_("context"), default=dict, blank=True)
    memo = models.JSONField(_("memo of a waiting stage"), default=dict, blank=True)
    target = models.JSONField(_("target"))
    previous = models.JSONField(_("previous state of the tenant"), null=True, blank=True)
    checkpoint = models.JSONField(_("checkpoint"), null=True, blank=True)
    failure = models.JSONField(_("failure"), null=True, blank=True)
    retries = models.PositiveIntegerField(_("retries by operators"), default=0)

    control = models.CharField(
        _("requested control"),
        max_length=6,
        choices=Control.choices,
        default=Control.NONE,
        blank=True,
    )
    control_by = models.CharField(_("requested by"), max_length=150, blank=True)
    control_reason = models.TextField(_("reason of the request"), blank=True)

    admitted = models.BooleanField(_("holds a slot"), default=False)
    rung_at = models.DateTimeField(_("last rung"), null=True, blank=True)
    wake_at = models.DateTimeField(_("parked until"), null=True, blank=True)
    wait_note = models.JSONField(_("what it waits for"), null=True, blank=True)
    lease_owner = models.CharField(_("lease holder"), max_length=150, blank=True)
    lease_epoch = models.PositiveBigIntegerField(_("epoch"), default=0)
    leased_at = models.DateTimeField(_("leased since"), null=True, blank=True)
    lease_expires_at = models.DateTimeField(_("lease ends"), null=True, blank=True)

    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(state__in=UNFINISHED_STATES),
                name="one_unfinished_task_per_tenant",
            ),
            models.UniqueConstraint(
                fields=["plan", "position"], name="task_position_once_per_plan"
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "state", "position"], name="task_plan_state"),
            models.Index(fields=["wave", "state", "position"], name="task_wave_state"),
            models.Index(fields=["plan"], condition=Q(admitted=True), name="task_admitted_of_plan"),
            models.Index(fields=["wake_at"], condition=Q(admitted=True), name="task_admitted_wake"),
            models.Index(fields=["tenant", "-id"], name="task_latest_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.tenant_id}"

    def get_state_display(self) -> Any:  # type: ignore[no-redef]
        """The state in words. Django's own hashes all choices at every call."""
        return TaskState(self.state).label

    @property
    def is_rolling_back(self) -> bool:
        return bool(self.state == TaskState.ROLLING_BACK)

    @property
    def has_changed_its_tenant(self) -> bool:
        """Whether there is anything to roll back."""
        return self.reached > 0 and self.previous is not None

    # --- What operators and the scheduler ask for ---------------------------------------

    @transition(state, source=TaskState.PENDING, target=TaskState.RUNNING)
    def start(self) -> None: ...

    @transition(state, source=TaskState.RUNNING, target=TaskState.PAUSED)
    def pause(self) -> None:
        self._stand_still()

    @transition(state, source=TaskState.PAUSED, target=TaskState.RUNNING)
    def resume(self) -> None:
        self._set_off()

    @transition(
        state,
        source=[TaskState.PENDING, TaskState.RUNNING, TaskState.PAUSED],
        target=TaskState.CANCELLED,
    )
    def cancel(self) -> None:
        self._stand_still()

    @transition(state, source=[TaskState.FAILED, TaskState.ROLLED_BACK], target=TaskState.RUNNING)
    def retry(self) -> None:
        """Go on from the checkpoint."""
        self._set_off()
        self.failure = None
        self.retries += 1

    @transition(
        state,
        source=[
            TaskState.COMPLETED,
            TaskState.FAILED,
            TaskState.PAUSED,
            TaskState.CANCELLED,
            TaskState.ROLLBACK_FAILED,
        ],
        target=TaskState.ROLLING_BACK,
        conditions=[_has_something_to_undo],
    )
    def roll_back(self) -> None:
        self._set_off()  # The failure stays: it is why the tenant goes back.
        # Stages that an earlier round reached are undone too, though a later round fell short.
        self.cursor = self.reached

    # --- How a run ends -----------------------------------------------------------------

    @transition(state, source=TaskState.RUNNING, target=TaskState.COMPLETED)
    def complete(self) -> None:
        self._stand_still()
        self.checkpoint = None
        self.failure = None

    @transition(state, source=TaskState.RUNNING, target=TaskState.FAILED)
    def fail(self) -> None:
        self._stand_still()

    @transition(state, source=TaskState.ROLLING_BACK, target=TaskState.ROLLED_BACK)
    def finish_rollback(self) -> None:
        self._stand_still()
        self.checkpoint = None
        self.context = {}

    @transition(state, source=TaskState.ROLLING_BACK, target=TaskState.ROLLBACK_FAILED)
    def fail_rollback(self) -> None:
        self._stand_still()

    def start_over(self) -> None:
        """Forget the finished stages; what they changed stays known through `reached`."""
        self.cursor = 0
        self.context = {}
        self.checkpoint = None
        if not self.reached:  # The tenant stands where it stood; others may have changed it since.
            self.previous = None

    def take_control_back(self) -> None:
        """Forget a pause or cancel that was asked for and not obeyed yet."""
        self._clear_control()

    def give_lease_back(self) -> None:
        self.lease_owner = ""
        self.lease_expires_at = None
        self.leased_at = None

    def _set_off(self) -> None:
        self._clear_control()
        self.finished_at = None
        self.tries = 0
        self._stop_waiting()

    def _stand_still(self) -> None:
        self.give_lease_back()
        self._clear_control()
        self.admitted = False
        self.tries = 0
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        self.wake_at = None
        self.wait_note = None
        self.memo = {}

    def _clear_control(self) -> None:
        self.control = Control.NONE
        self.control_by = ""
        self.control_reason = ""
