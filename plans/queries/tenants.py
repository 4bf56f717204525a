"""The registry of tenants, to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from plans import conf
from plans.models import UNFINISHED_STATES, Environment, Task, Tenant

SHOWN_MAX = 60
TICKED_MAX = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Picker:
    """What matches a search: the first tenants, and how many there are.

    `ticked` are those that were chosen before, whatever the search: they stand first.
    """

    text: str
    environment: str
    found: QuerySet[Tenant]
    total: int
    ticked: list[Tenant]
    shown: list[Tenant]
    busy: frozenset[str]

    def all_ids(self) -> list[str]:
        """All that match, as many as a plan may have."""
        return list(self.found.values_list("pk", flat=True)[: conf.TENANTS_PER_PLAN_MAX])


def search(text: str, environment: str, ticked: Sequence[str] = ()) -> Picker:
    """The tenants whose id or name contains `text`; which of the shown ones are in a task now."""
    text = text.replace("\x00", "").strip()[:100]
    found = Tenant.objects.order_by("pk")
    if text:
        found = found.filter(Q(pk__icontains=text) | Q(name__icontains=text))
    if environment in Environment.values:
        found = found.filter(environment=environment)
    kept = Tenant.objects.in_bulk(list(ticked)[:TICKED_MAX])
    shown = [tenant for tenant in found[:SHOWN_MAX] if tenant.pk not in kept]
    listed = [*kept.values(), *shown]
    unfinished = Task.objects.filter(tenant__in=listed, state__in=UNFINISHED_STATES)
    busy = frozenset(unfinished.values_list("tenant_id", flat=True))
    return Picker(text, environment, found, found.count(), list(kept.values()), shown, busy)


def last_read() -> int:
    """When the OB service last said something new of a tenant: Unix time in microseconds, or 0."""
    at = Tenant.objects.aggregate(at=Max("synced_at"))["at"]
    # Whole numbers: a float of that size is a microsecond off, and names all who were read then.
    return 0 if at is None else (at - EPOCH) // timedelta(microseconds=1)


def read_since(microseconds: int) -> list[str]:
    """The tenants of which the OB service has said something new since then (Unix time)."""
    since = EPOCH + timedelta(microseconds=microseconds)
    return list(Tenant.objects.filter(synced_at__gt=since).values_list("pk", flat=True))


def read_lately(seconds: float) -> list[str]:
    """The tenants of which it has said something new in the last `seconds`."""
    since = timezone.now() - timedelta(seconds=seconds)
    return list(Tenant.objects.filter(synced_at__gt=since).values_list("pk", flat=True))
