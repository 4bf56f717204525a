"""Who acts."""

import os
import pwd

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop

from plans.actor import Actor, Permission
from plans.errors import NotFound
from plans.message import Message

NAME_MAX_CHARS = 150


def acting(as_user: str | None) -> Actor:
    """The user of that name with its permissions; without a name the system, with all.

    Raises `NotFound`.
    """
    if as_user is None:
        return Actor(f"cli:{_account()}"[:NAME_MAX_CHARS], frozenset(Permission))
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: as_user}).first()
    if user is None:
        raise NotFound(what=Message(gettext_noop("user")), id=as_user)
    return Actor.of(user)


def _account() -> str:
    # Not from the environment, in which anybody may call himself anything.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid{os.getuid()}"
