"""The database's clock: the one clock that all machines share. Durations use the monotonic one."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now

from plans.models import Task

TOLD_SECONDS = 60.0
"""The database is asked again after this long; until then the monotonic clock goes on from it."""

_told: tuple[datetime, float] | None = None
"""What the database said last, and when, by the monotonic clock."""


def in_seconds(seconds: float) -> Any:
    """An expression for the database's time `seconds` from now (negative: ago)."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def database_now() -> datetime:
    """The database's time, within some milliseconds; asked for once a minute. There is a task."""
    global _told
    if _told is None or time.monotonic() - _told[1] >= TOLD_SECONDS:
        told: datetime = Task.objects.order_by().values_list(Now(), flat=True)[:1].get()
        _told = told, time.monotonic()
    told, told_monotonic = _told
    return told + timedelta(seconds=time.monotonic() - told_monotonic)
