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
SYNCED_FIELDS = ["name", "environment", "config_version", "endpoints", "synced_at"]


def sync_tenants() -> int:
    """Read the whole list; returns how many tenants it named. A missing list names none."""
    records = ob_service.all_tenants()
    seen = 0
    while batch := list(islice(records, conf.OB_LIST_LIMIT)):
        store(batch)
        seen += len(batch)
    return seen


def store(records: Iterable[TenantRecord]) -> None:
    """Add or refresh what the OB service said; ids that no plan could name are left out."""
    now = timezone.now()
    named = {each.tenant_id: each for each in records if _TENANT_ID.fullmatch(each.tenant_id)}
    # In one order everywhere: processes that store the same tenants wait, and never crosswise.
    in_order = [named[tenant_id] for tenant_id in sorted(named)]
    Tenant.objects.bulk_create(
        [
            Tenant(
                tenant_id=record.tenant_id,
                name=record.name[:200],
                environment=record.environment,
                config_version=record.config_version,
                endpoints=list(record.endpoints),
                synced_at=now,
            )
            for record in in_order
        ],
        update_conflicts=True,
        unique_fields=["tenant_id"],
        update_fields=SYNCED_FIELDS,
        batch_size=100,
    )
