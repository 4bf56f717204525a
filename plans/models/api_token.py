"""A token with which a script speaks to the REST API."""

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """An API token of a user. Only the SHA-256 of it is stored: the token has 256 random bits,
    so a slow password hash would protect nothing more."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("user"),
    )
    digest = models.CharField(_("digest"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.user} {self.digest[:8]}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def user_of(cls, token: str) -> Any | None:
        """The active user whose token this is, if it is anybody's."""
        found = cls.objects.select_related("user").filter(
            digest=cls.digest_of(token), user__is_active=True
        )
        return next((each.user for each in found), None)

    @classmethod
    def issue(cls, user: models.Model) -> str:
        """Store a new token of `user` and return it; it cannot be read again."""
        token = f"bg_{secrets.token_urlsafe(32)}"
        cls.objects.create(user=user, digest=cls.digest_of(token))
        return token
