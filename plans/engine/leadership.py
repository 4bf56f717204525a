"""One leads where only one may act: a lease on a role, by the database's clock."""

from django.db import IntegrityError
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from plans import conf
from plans.engine.clock import in_seconds
from plans.models import Leadership


def lead(role: str, name: str) -> bool:
    """Take or extend the lead of `role` for `name`; False while another holds it."""
    led = Leadership.objects.filter(Q(holder=name) | Q(expires_at__lte=Now()), role=role).update(
        since=Case(When(holder=Value(name), then=F("since")), default=Now()),
        holder=name,
        seen_at=Now(),
        expires_at=in_seconds(conf.CONDUCTOR_LEASE_SECONDS),
    )
    if led:
        return True
    if Leadership.objects.filter(role=role).exists():
        return False
    try:
        Leadership.objects.create(
            role=role,
            holder=name,
            since=Now(),
            seen_at=Now(),
            expires_at=in_seconds(conf.CONDUCTOR_LEASE_SECONDS),
        )
    except IntegrityError:
        return False  # Another was faster.
    return True


def resign(role: str, name: str) -> None:
    """Give the lead back, so that another can take it at once."""
    Leadership.objects.filter(role=role, holder=name).update(expires_at=Now())
