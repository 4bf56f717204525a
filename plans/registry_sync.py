"""Keep the registry of tenants as the OB service has it."""

import logging
import random
import re
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction
from django.utils import timezone

from plans import conf
from plans.clients import ob_service
from plans.clients.ob_service import TenantRecord
from plans.errors import TenantUnknown
from plans.models import TENANT_ID_PATTERN, Tenant
from plans.slices import ROWS_AT_ONCE, slices

logger = logging.getLogger(__name__)

_TENANT_ID = re.compile(TENANT_ID_PATTERN)
SAID_FIELDS = ["name", "environment", "config_version", "endpoints", "gone_at"]


def sync_tenants(*, trust_list: bool = False) -> int:
    """Read the whole list; returns how many tenants it named. A missing list names none.

    Who is no longer there is marked as gone: at most `conf.GONE_QUESTIONS_MAX` tenants a call, and
    nobody where the list misses too much of the registry to be believed. With `trust_list` it is
    believed, and all that it misses are asked for.
    """
    pages = list(read_list())
    named = {tenant_id for page in pages for tenant_id in page}
    if pages:
        _look_for_the_gone(named, trust_list=trust_list)
    return sum(map(len, pages))


def read_list() -> Iterator[list[str]]:
    """Store the OB service's list page by page; gives the ids of each page once it is stored."""
    for page in ob_service.tenant_pages():
        store(page)
        yield [record.tenant_id for record in page]


def store(records: Iterable[TenantRecord]) -> int:
    """Add or refresh what the OB service said; returns how many tenants that changed.

    Ids that no plan could name are left out. What is as it was is not written: open pages are
    told of every tenant that is. Who was gone is back.
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
        batch_size=ROWS_AT_ONCE,
    )
    return len(changed)


def _look_for_the_gone(named: set[str], *, trust_list: bool) -> None:
    """Mark the tenants that the list does not name and the OB service, when asked, does not know.

    Asked they are because a list whose pages shift while they are read may miss one.
    """
    registered = list(Tenant.objects.filter(gone_at=None).values_list("pk", flat=True))
    missing = [tenant_id for tenant_id in registered if tenant_id not in named]
    if trust_list:
        for some in slices(missing, conf.GONE_QUESTIONS_MAX):
            _ask_for(some)
    elif len(missing) > len(registered) * conf.GONE_SHARE_MAX:
        logger.warning(
            "The OB service's list misses %s of the %s tenants in the registry; that looks like a "
            "fault, and none of them is marked as gone. If the list is right, say so: "
            "manage.py sync_tenants --trust-list",
            len(missing),
            len(registered),
        )
    else:
        # Any of them: those that a list never names must not keep others from being asked for.
        _ask_for(random.sample(missing, min(len(missing), conf.GONE_QUESTIONS_MAX)))


def _ask_for(tenant_ids: Sequence[str]) -> None:
    """Ask the OB service for each; whom it does not know is gone."""
    answers = ob_service.get_tenants(tenant_ids)
    store(answer for answer in answers.values() if isinstance(answer, TenantRecord))
    gone = sorted(pk for pk, answer in answers.items() if isinstance(answer, TenantUnknown))
    if not gone:
        return
    now = timezone.now()
    with transaction.atomic():
        # One by one, for the same order as in `store`.
        for tenant_id in gone:
            Tenant.objects.filter(pk=tenant_id).update(gone_at=now, synced_at=now)
    logger.info("Gone from the OB service, and marked so: %s", ", ".join(gone))


def _known(tenant_ids: list[str]) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for some in slices(tenant_ids):
        rows = Tenant.objects.filter(pk__in=some)
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
