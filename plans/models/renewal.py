"""Renewals: keys of Redis that are kept alive, and the processes that do it (S8)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StopReason(models.TextChoices):
    """Why a renewal came to its end (S8.2)."""

    DONE = "done", _("the business is done")
    DEADLINE = "deadline", _("the deadline is over")
    COUNT = "count", _("all rounds are made")
    GONE = "gone", _("the keys are gone")
    SIGNAL = "signal", _("it was told to")


class RenewalProcess(models.Model):
    """One process that renews, from its start to its end: what it holds, it holds by this row.

    Its lease is `expires_at`, by the database's clock. Once `ended_at` is set, by itself or by
    another that found the lease run out, it never comes back, and what it held is free.
    """

    name = models.CharField(_("name"), max_length=150)
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("last seen"))
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    keys = models.PositiveBigIntegerField(_("keys"), default=0)
    due = models.PositiveBigIntegerField(_("keys that are due"), default=0)
    renewed = models.PositiveBigIntegerField(_("renewed"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    skipped = models.PositiveBigIntegerField(_("skipped"), default=0)
    late = models.PositiveBigIntegerField(_("late"), default=0)
    worst_ms = models.PositiveBigIntegerField(_("worst lateness in ms"), default=0)
    away = models.JSONField(_("Redis servers that are away"), default=dict, blank=True)

    class Meta:
        verbose_name = _("renewal process")
        verbose_name_plural = _("renewal processes")
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(ended_at__isnull=True), name="renewal_process_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Renewal(models.Model):
    """Keys that are kept alive until one of the stop conditions is met.

    What `redis`, `selector`, `ttl`, `interval` and `stop` hold: `plans.renewal.spec`. Rounds count
    from `anchor_ms`, a time of Redis's clock, which the first process that takes it sets.
    """

    name = models.CharField(_("name"), max_length=200)
    redis = models.CharField(_("Redis"), max_length=20)
    selector = models.JSONField(_("keys"))
    ttl = models.JSONField(_("TTL"))
    interval = models.JSONField(_("interval"))
    stop = models.JSONField(_("stop conditions"), default=dict, blank=True)
    anchor_ms = models.BigIntegerField(_("rounds count from, in ms"), null=True, blank=True)
    owner = models.ForeignKey(
        RenewalProcess,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="renewals",
        verbose_name=_("renewed by"),
    )
    epoch = models.PositiveBigIntegerField(_("epoch"), default=0)
    key_count = models.PositiveBigIntegerField(_("number of keys"), default=0)
    renewed = models.PositiveBigIntegerField(_("renewed"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    skipped = models.PositiveBigIntegerField(_("skipped"), default=0)
    late = models.PositiveBigIntegerField(_("late"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    created_by = models.CharField(_("created by"), max_length=150)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True, blank=True)
    stop_reason = models.CharField(
        _("why it stopped"), max_length=8, choices=StopReason.choices, blank=True
    )
    stopped_by = models.CharField(_("stopped by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(stopped_at__isnull=True), name="renewal_name_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["owner"], condition=Q(stopped_at__isnull=True), name="renewal_active_owner"
            )
        ]

    def __str__(self) -> str:
        return self.name
