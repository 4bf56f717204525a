"""Keep the registry of tenants as the OB service has it."""

import re
from collections.abc import Iterable
from itertools import islice

from django.utils import timezone

from plans import conf
from plans.clients import ob_service
from plans.clients.ob_service import TenantRecord
from plans.models import TENANT_ID_PATTERN, Tenant

_TENANT_ID = re.compile(TENANT_ID_PATTERN)
SAID_FIELDS = ["name", "environment", "config_version", "endpoints"]
BATCH = 100


def sync_tenants() -> int:
    """Read the whole list; returns how many tenants it named. A missing list names none."""
    records = ob_service.all_tenants()
    seen = 0
    while batch := list(islice(records, conf.OB_LIST_LIMIT)):
        store(batch)
        seen += len(batch)
    return seen


def store(records: Iterable[TenantRecord]) -> int:
    """Add or refresh what the OB service said; returns how many tenants that changed.

    Ids that no plan could name are left out. What is as it was is not written: open pages are
    told of every tenant that is.
    """
    named = {each.tenant_id: each for each in records if _TENANT_ID.fullmatch(each.tenant_id)}
    known = _known(list(named))
    now = timezone.now()
    # In one order everywhere: processes that store the same tenants wait, and never crosswise.
    said = [_tenant(named[tenant_id]) for tenant_id in sorted(named)]
    changed = [each for each in said if known.get(each.pk) != _facts(each)]
    for tenant in changed:
        tenant.synced_at = now
    Tenant.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["tenant_id"],
        update_fields=[*SAID_FIELDS, "synced_at"],
        batch_size=BATCH,
    )
    return len(changed)


def _known(tenant_ids: list[str]) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for start in range(0, len(tenant_ids), BATCH):
        rows = Tenant.objects.filter(pk__in=tenant_ids[start : start + BATCH])
        found |= {pk: tuple(facts) for pk, *facts in rows.values_list("pk", *SAID_FIELDS)}
    return found


def _facts(tenant: Tenant) -> tuple[object, ...]:
    return tuple(getattr(tenant, field) for field in SAID_FIELDS)


def _tenant(record: TenantRecord) -> Tenant:
    return Tenant(
        tenant_id=record.tenant_id,
        name=record.name[:200],
        environment=record.environment,
        config_version=record.config_version,
        endpoints=list(record.endpoints),
    )
