"""How often somebody has tried to sign in lately, and until when no more tries are taken."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInCount(models.Model):
    """Tries for one user name, from one address, or for one name from one address.

    `key` is a digest: people type passwords where names belong. Times are the database's.
    """

    key = models.CharField(_("key"), max_length=80, primary_key=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    last_at = models.DateTimeField(_("last try"), db_index=True)
    refused_until = models.DateTimeField(_("refused until"), null=True)

    class Meta:
        verbose_name = _("count of sign-ins")
        verbose_name_plural = _("counts of sign-ins")

    def __str__(self) -> str:
        return f"{self.key}: {self.tries}"
