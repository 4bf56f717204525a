"""Who leads where only one may act."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Leadership(models.Model):
    """The lease of one role, such as the leading conductor's. Times are the database's."""

    role = models.CharField(_("role"), max_length=40, primary_key=True)
    holder = models.CharField(_("holder"), max_length=150)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("leadership")
        verbose_name_plural = _("leaderships")

    def __str__(self) -> str:
        return f"{self.role}: {self.holder}"
