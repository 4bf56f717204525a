"""A journal: the head of one gapless, hash-chained sequence of events."""

from django.db import models
from django.utils.translation import gettext_lazy as _

GENESIS = "0" * 64
INSTALLATION = "installation"


class Journal(models.Model):
    """One sequence of events: a plan's, or the installation's for what belongs to no plan.

    Every transaction that records events takes this row last, so `last_seq` grows in commit
    order and a reader with a cursor can never miss an event. That the row is not the plan's own
    keeps one order of locks for everybody: plan, then tasks, then journal.
    """

    name = models.CharField(_("name"), max_length=40, unique=True)
    last_seq = models.PositiveBigIntegerField(_("last sequence number"), default=0)
    last_hash = models.CharField(_("last hash"), max_length=64, default=GENESIS)

    class Meta:
        verbose_name = _("journal")
        verbose_name_plural = _("journals")

    def __str__(self) -> str:
        return self.name
