"""The two environments between which tenants are switched."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Environment(models.TextChoices):
    """Blue or green: an environment, never a status."""

    BLUE = "blue", _("blue")
    GREEN = "green", _("green")

    @classmethod
    def name_of(cls, environment: str) -> str:
        """Its name in the reader's language; what it is called where it is none."""
        return str(cls(environment).label) if environment in cls.values else str(environment)
