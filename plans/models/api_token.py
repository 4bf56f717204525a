"""A token with which a script speaks to the REST API."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from plans import conf
from plans.actor import Actor, Permission


class TokenScope(models.TextChoices):
    """What a token may do at most; never more than its user may."""

    VIEW = "view", _("view")
    OPERATE = "operate", _("operate")
    ALL = "all", _("all that its user may")

    @property
    def permissions(self) -> frozenset[Permission]:
        return {
            TokenScope.VIEW: frozenset({Permission.VIEW}),
            TokenScope.OPERATE: frozenset({Permission.VIEW, Permission.OPERATE}),
            TokenScope.ALL: frozenset(Permission),
        }[self]


class ApiToken(models.Model):
    """An API token of a user. Only the SHA-256 of it is stored: the token has 256 random bits,
    so a slow password hash would protect nothing more. Times are the database's."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("user"),
    )
    digest = models.CharField(_("digest"), max_length=64, unique=True)
    label = models.CharField(_("label"), max_length=100, blank=True, default="", db_default="")
    scope = models.CharField(
        _("scope"),
        max_length=10,
        choices=TokenScope.choices,
        default=TokenScope.ALL,
        # A web process of the version before, that still runs, can go on making tokens.
        db_default=TokenScope.ALL,
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.user} {self.label or self.digest[:8]}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def actor_of(cls, token: str) -> Actor | None:
        """Who bears `token`, with what its scope and its user's roles both allow.

        None when it is nobody's, expired, revoked, or its user is not active.
        """
        valid = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
        found = (
            cls.objects.select_related("user")
            .filter(valid, digest=cls.digest_of(token), revoked_at__isnull=True)
            .filter(user__is_active=True)
            .annotate(now=Now())
            .first()
        )
        if found is None:
            return None
        found._note_use(found.now)
        actor = Actor.of(found.user)
        return Actor(actor.name, actor.permissions & TokenScope(found.scope).permissions)

    @classmethod
    def issue(
        cls,
        user: models.Model,
        scope: TokenScope = TokenScope.ALL,
        *,
        days: float | None = None,
        label: str = "",
    ) -> str:
        """Store a new token of `user`, good for `days` or for ever, and return it; it cannot be
        read again."""
        token = f"bg_{secrets.token_urlsafe(32)}"
        expires: Any = None if days is None else Now() + timedelta(days=days)
        cls.objects.create(
            user=user, digest=cls.digest_of(token), scope=scope, label=label, expires_at=expires
        )
        return token

    @classmethod
    def revoke(cls, pk: int) -> bool:
        """End the token now and for ever; False if there is none that was not ended before."""
        return cls.objects.filter(pk=pk, revoked_at__isnull=True).update(revoked_at=Now()) == 1

    def _note_use(self, now: datetime) -> None:
        # A busy token writes once in a while only.
        stale = now - timedelta(seconds=conf.TOKEN_USE_SECONDS)
        if self.last_used_at is None or self.last_used_at < stale:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)
