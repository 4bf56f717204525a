"""The two environments between which tenants are switched."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Environment(models.TextChoices):
    """Blue or green: an environment, never a status."""

    BLUE = "blue", _("blue")
    GREEN = "green", _("green")
