"""The registry of tenants, to choose from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from django.db.models import Max, Q, QuerySet
from django.db.models.fields.json import KeyTransform
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
    label: str
    found: QuerySet[Tenant]
    total: int
    ticked: list[Tenant]
    shown: list[Tenant]
    busy: frozenset[str]

    @cached_property
    def labels(self) -> list[tuple[str, int]]:
        """Every label there is, as `name=value`, and how many tenants have it."""
        return labels()

    def all_ids(self) -> list[str]:
        """All that match, as many as a plan may have."""
        return list(self.found.values_list("pk", flat=True)[: conf.TENANTS_PER_PLAN_MAX])


def search(text: str, environment: str, label: str = "", ticked: Sequence[str] = ()) -> Picker:
    """The tenants whose id or name contains `text`; which of the shown ones are in a task now.

    `label` is `name=value`; what is neither that nor empty matches no tenant.
    """
    text = text.replace("\x00", "").strip()[:100]
    found = present()
    if text:
        found = found.filter(Q(pk__icontains=text) | Q(name__icontains=text))
    if environment in Environment.values:
        found = found.filter(environment=environment)
    if label:
        found = labelled(found, label)
    kept = Tenant.objects.in_bulk(list(ticked)[:TICKED_MAX])
    shown = [tenant for tenant in found[:SHOWN_MAX] if tenant.pk not in kept]
    listed = [*kept.values(), *shown]
    unfinished = Task.objects.filter(tenant__in=listed, state__in=UNFINISHED_STATES)
    busy = frozenset(unfinished.values_list("tenant_id", flat=True))
    return Picker(
        text,
        environment,
        label,
        found,
        found.count(),
        list(kept.values()),
        shown,
        busy,
    )


def present() -> QuerySet[Tenant]:
    """The tenants that a plan can name, by id: all but those that the OB service no longer has."""
    return Tenant.objects.filter(gone_at=None).order_by("pk")


def labelled(tenants: QuerySet[Tenant], label: str) -> QuerySet[Tenant]:
    """Those of `tenants` that have `label`, which is `name=value`."""
    name, _, value = label.replace("\x00", "").partition("=")
    return tenants.alias(label=KeyTransform(name, "labels")).filter(label=value)


def labels() -> list[tuple[str, int]]:
    """All labels as `name=value`, and how many tenants have each; by name and value."""
    all_labels = present().exclude(labels={}).values_list("labels", flat=True)
    counts = Counter(f"{name}={value}" for each in all_labels for name, value in each.items())
    return sorted(counts.items())


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
