"""The name that no user may have: in the audit it stands for Bluegreen itself."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from plans.actor import SYSTEM, folded


def require_a_name_of_ones_own(name: str) -> None:
    """Raise `ValidationError` where sign-in would take `name` for that of Bluegreen."""
    if folded(name) == SYSTEM.name:
        raise ValidationError(_("In the audit this name stands for Bluegreen itself."))


def guard_new_users(instance: User, **kwargs: Any) -> None:
    """Whoever makes users, also `manage.py createsuperuser`; a `pre_save` handler."""
    # One that is there already can still be deactivated.
    if instance._state.adding:
        require_a_name_of_ones_own(instance.username)
