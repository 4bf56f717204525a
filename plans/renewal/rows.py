"""The door to renewals: register one, end one. Any process may; those that renew see it soon."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from plans.errors import NotFound, RenewalRefused
from plans.message import Message
from plans.models import Renewal, StopReason
from plans.renewal import links
from plans.renewal.database import active
from plans.renewal.spec import parse


def register(name: str, described: dict[str, Any], by: str = "system") -> Renewal:
    """Keep keys alive from now on, as `described` (see `RenewalSpec`) says, under `name`.

    In a transaction it takes effect with that. Raises `RenewalRefused` when the description is
    wrong, the TTL is too short for a takeover, or an active renewal has that name.
    """
    spec = parse(described)
    if spec.redis not in links.CLIENTS:
        raise RenewalRefused(
            cause=Message(gettext_noop("redis: there is no %(name)s"), {"name": spec.redis})
        )
    stored = spec.model_dump(mode="json")
    try:
        with transaction.atomic():
            return Renewal.objects.create(name=name, created_by=by, **stored)
    except IntegrityError as taken:
        raise RenewalRefused(
            cause=Message(gettext_noop("name: %(name)s is being renewed already"), {"name": name})
        ) from taken


def signal(name: str, by: str = "system") -> None:
    """End the renewal: its keys run out by themselves. Raises `NotFound` if none is active."""
    stopped = active().filter(name=name)
    if not stopped.update(stopped_at=Now(), stop_reason=StopReason.SIGNAL, stopped_by=by):
        raise NotFound(what=Message(gettext_noop("active renewal")), id=name)
