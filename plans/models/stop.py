"""The global stop: while one is active, nothing is handed out in the whole installation."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Stop(models.Model):
    """One stop, from when somebody called it until somebody lifted it.

    At most one is active. It is a row so that it outlives every process, and Redis too.
    """

    active = models.BooleanField(_("active"), default=True)
    reason = models.TextField(_("reason"), blank=True)
    stopped_by = models.CharField(_("stopped by"), max_length=150)
    stopped_at = models.DateTimeField(_("stopped at"))
    lifted_by = models.CharField(_("lifted by"), max_length=150, blank=True)
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=Q(active=True), name="one_active_stop"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.stopped_by}"
