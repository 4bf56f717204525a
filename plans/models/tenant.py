"""The registry of tenants: what the OB service last said of each."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from plans.models.environment import Environment

TENANT_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"


class Tenant(models.Model):
    """A customer whose traffic and configuration belong to one environment."""

    tenant_id = models.CharField(
        _("tenant id"),
        primary_key=True,
        max_length=64,
        validators=[RegexValidator(rf"\A{TENANT_ID_PATTERN}\Z")],
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    environment = models.CharField(_("environment"), max_length=5, choices=Environment.choices)
    config_version = models.BigIntegerField(_("configuration version"), default=0)
    endpoints = models.JSONField(_("endpoints"), default=list, blank=True)
    labels = models.JSONField(_("labels"), default=dict, blank=True)
    synced_at = models.DateTimeField(_("last changed at the OB service"))
    gone_at = models.DateTimeField(_("gone from the OB service since"), null=True, blank=True)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["tenant_id"]
        indexes = [models.Index(fields=["environment"], name="tenant_environment")]

    def __str__(self) -> str:
        return self.tenant_id
