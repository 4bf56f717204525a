"""What a new plan would do to each of its tenants, a page of them at a time."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from plans import pipelines
from plans.errors import RedisUnavailable
from plans.models import Environment, Tenant
from plans.operations import Preview
from plans.preview.calls import StageCalls, Switch, calls_of
from plans.preview.changes import CHANGES_MAX, Change, changes
from plans.stores import tenant_config
from plans.stores.tenant_config import StoredConfig
from plans.validation import PlanRequest, TenantRequest

TENANTS_PER_PAGE = 20


@dataclass(frozen=True)
class TenantOutlook:
    """One tenant: where it is, what changes in its configuration, what is called.

    `held` None: Redis holds nothing, or (`is_unread`) could not be asked. `is_stale`: Redis is past
    the version that the plan names, so that the delivery would be refused.
    """

    tenant: Tenant
    wave: int
    held: StoredConfig | None
    is_unread: bool
    version: int
    keeps_payload: bool
    changes: Sequence[Change]
    more_changes: int
    calls: Sequence[StageCalls]

    @property
    def present_version(self) -> int:
        """What the tenant has now, as far as is known."""
        return max(self.tenant.config_version, self.held.version if self.held else 0)

    @property
    def is_stale(self) -> bool:
        return self.held is not None and self.version < self.held.version


@dataclass(frozen=True)
class OutlookPage:
    """The tenants from `first` (counted from 1) to `last` of `total`; `back` and `on` are where the
    pages beside it begin, None where there is none.
    """

    rows: Sequence[TenantOutlook]
    first: int
    last: int
    total: int
    back: int | None
    on: int | None


def outlook(preview: Preview, request: PlanRequest, start: int) -> OutlookPage:
    """The tenants of `preview` from place `start` on, in the order of the plan."""
    known = {tenant.pk: tenant for tenant in preview.tenants}
    wanted = {each.tenant_id: (place, each) for place, each in enumerate(request.tenants)}
    places = [wanted[pk] for pk in known]
    start = max(0, min(start, len(places) - 1)) // TENANTS_PER_PAGE * TENANTS_PER_PAGE
    page = places[start : start + TENANTS_PER_PAGE]
    held = _held([each.tenant_id for _, each in page])
    ends = list(accumulate(wave.size for wave in preview.waves))
    pipeline = _pipeline(request)
    rows = [
        _outlook(
            known[each.tenant_id], each, bisect_right(ends, place) + 1, held, preview, pipeline
        )
        for place, each in page
    ]
    last = start + len(page)
    back = start - TENANTS_PER_PAGE if start else None
    on = last if last < len(places) else None
    return OutlookPage(rows, start + 1, last, len(places), back, on)


def _outlook(
    tenant: Tenant,
    asked: TenantRequest,
    wave: int,
    held: Mapping[str, StoredConfig | None] | None,
    preview: Preview,
    pipeline: list[dict[str, Any]],
) -> TenantOutlook:
    now = held.get(tenant.pk) if held is not None else None
    version = asked.version or 1 + max(tenant.config_version, now.version if now else 0)
    found = [] if asked.payload is None else changes(now.payload if now else {}, asked.payload)
    # Without a target nothing can be said of calls.
    target = preview.target if preview.target in Environment.values else ""
    switch = Switch(tenant.pk, target or "?", version, tenant.endpoints)
    return TenantOutlook(
        tenant=tenant,
        wave=wave,
        held=now,
        is_unread=held is None,
        version=version,
        keeps_payload=asked.payload is None,
        changes=found[:CHANGES_MAX],
        more_changes=max(0, len(found) - CHANGES_MAX),
        calls=calls_of(switch, pipeline),
    )


def _held(tenant_ids: Sequence[str]) -> dict[str, StoredConfig | None] | None:
    """What Redis holds; None when it is away."""
    try:
        return {tenant_id: tenant_config.read(tenant_id) for tenant_id in tenant_ids}
    except RedisUnavailable:
        return None


def _pipeline(request: PlanRequest) -> list[dict[str, Any]]:
    try:
        return pipelines.snapshot(request.executor_type, request.parameters)
    except (KeyError, ValidationError):
        return []  # The validation says why.
