"""What the statements of renewals share."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from plans.models import Renewal, RenewalProcess


def in_seconds(seconds: float) -> Any:
    """An expression for the database's time `seconds` from now."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def active() -> QuerySet[Renewal]:
    """The renewals that have not come to their end."""
    return Renewal.objects.filter(stopped_at__isnull=True)


def alive() -> QuerySet[RenewalProcess]:
    """The processes whose lease nobody has ended."""
    return RenewalProcess.objects.filter(ended_at__isnull=True)


def free() -> QuerySet[Renewal]:
    """The active renewals that nobody has."""
    ended = RenewalProcess.objects.filter(ended_at__isnull=False).values("pk")
    return active().filter(Q(owner__isnull=True) | Q(owner__in=ended))
