"""How the renewal of keys goes, over all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now

from plans.models import Renewal, RenewalProcess

SHOWN_MAX = 50

ALIVE = Q(ended_at__isnull=True, expires_at__gt=Now())


@dataclass(frozen=True)
class RenewalFigures:
    """Sums over processes: of those that are alive, and, for what is counted, of all ever."""

    active: int
    processes: int
    keys: int
    due: int
    worst_ms: int
    renewed: int
    failed: int
    skipped: int
    late: int
    away: Mapping[str, str]
    """Which Redis servers some process cannot reach, and why."""


def figures() -> RenewalFigures:
    """As they are now, three statements."""
    counted = ("renewed", "failed", "skipped", "late")
    totals: dict[str, Any] = RenewalProcess.objects.aggregate(
        **{name: Coalesce(Sum(name), 0) for name in counted},
        **{name: Coalesce(Sum(name, filter=ALIVE), 0) for name in ("keys", "due")},
        worst_ms=Coalesce(Max("worst_ms", filter=ALIVE), 0),
    )
    reports = list(RenewalProcess.objects.filter(ALIVE).values_list("away", flat=True))
    away = {name: why for report in reports for name, why in report.items()}
    active = Renewal.objects.filter(stopped_at__isnull=True).count()
    return RenewalFigures(active=active, processes=len(reports), away=away, **totals)


def processes() -> QuerySet[RenewalProcess]:
    """Those that are alive, in the order of their start."""
    return RenewalProcess.objects.filter(ALIVE).order_by("started_at")


def active() -> QuerySet[Renewal]:
    """The latest active renewals, without their keys."""
    found = Renewal.objects.filter(stopped_at__isnull=True).select_related("owner")
    return found.defer("selector").order_by("-pk")[:SHOWN_MAX]
