"""What the registry and the OB service know of the tenants that a request names."""

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from plans import conf, registry_sync
from plans.clients import ob_service
from plans.clients.ob_service import TenantRecord
from plans.errors import StageError, TenantUnknown
from plans.models import Tenant
from plans.slices import slices


@dataclass(frozen=True)
class Lookup:
    """What is known of the tenants that were asked about; who is in none of these is unknown."""

    known: Mapping[str, Tenant]
    gone: Collection[str]
    """The registry remembers them; the OB service no longer has them."""
    unreadable: Mapping[str, StageError]
    """Why the OB service could not be asked for them."""
    unheard: Collection[str]
    """The OB service said nothing of them within the time."""


def look_up(tenant_ids: Collection[str]) -> Lookup:
    """The tenants by id. Those that the registry lacks are asked for at the OB service.

    Where these are many, its list is read first: a page of it answers a thousand questions.
    """
    registered = _registered(tenant_ids)
    missing = _missing(tenant_ids, registered)
    if len(missing) > conf.OB_QUESTIONS_MAX:
        _read_list(missing)
        registered |= _registered(missing)
        missing = _missing(missing, registered)
    answers = ob_service.get_tenants(missing)
    found = [answer for answer in answers.values() if isinstance(answer, TenantRecord)]
    registry_sync.store(found)
    registered |= _registered([record.tenant_id for record in found])
    unknown = {pk for pk, answer in answers.items() if isinstance(answer, TenantUnknown)}
    return Lookup(
        known={pk: tenant for pk, tenant in registered.items() if tenant.gone_at is None},
        gone=unknown.intersection(registered),
        unreadable={
            pk: answer
            for pk, answer in answers.items()
            if isinstance(answer, StageError) and pk not in unknown
        },
        unheard=[pk for pk in missing if pk not in answers],
    )


def _missing(tenant_ids: Iterable[str], registered: Mapping[str, Tenant]) -> list[str]:
    """Those that the registry lacks, or holds for gone: they may be back."""
    return [pk for pk in tenant_ids if pk not in registered or registered[pk].gone_at is not None]


def _registered(tenant_ids: Iterable[str]) -> dict[str, Tenant]:
    ids = list(tenant_ids)
    found: dict[str, Tenant] = {}
    for some in slices(ids):
        found |= Tenant.objects.in_bulk(some)
    return found


def _read_list(wanted: Iterable[str]) -> None:
    """Store what the list names until it has named all that are `wanted`, or the time is over."""
    deadline = time.monotonic() + conf.OB_QUESTIONS_SECONDS
    left = set(wanted)
    # What a list that fails has not named is asked for.
    with suppress(StageError):
        for page in registry_sync.read_list():
            left.difference_update(page)
            if not left or time.monotonic() > deadline:
                return
