"""What the validators look at: the request, and what is known of its tenants."""

import re
from dataclasses import dataclass
from functools import cached_property

from plans import conf, registry_sync
from plans.clients import instances, ob_service
from plans.clients.ob_service import TenantRecord
from plans.errors import StageError, TenantUnknown
from plans.models import TENANT_ID_PATTERN, Environment, Tenant
from plans.validation.request import PlanRequest

_TENANT_ID = re.compile(rf"\A{TENANT_ID_PATTERN}\Z")
IN_CLAUSE_MAX = 500


def is_tenant_id(text: str) -> bool:
    """Whether `text` has the shape of a tenant id."""
    return _TENANT_ID.match(text) is not None


@dataclass
class Subject:
    """One request under validation. What is known of its tenants is read once, for all."""

    request: PlanRequest

    @cached_property
    def well_formed_ids(self) -> list[str]:
        """The distinct tenant ids of the right shape, in the order of the request.

        None of too many: nobody shall be asked about a million tenants.
        """
        if len(self.request.tenants) > conf.TENANTS_PER_PLAN_MAX:
            return []
        asked = dict.fromkeys(tenant.tenant_id for tenant in self.request.tenants)
        return [tenant_id for tenant_id in asked if is_tenant_id(tenant_id)]

    @cached_property
    def tenants(self) -> dict[str, Tenant]:
        """The known tenants by id. One that the registry lacks is asked for at the OB service."""
        known = self._registered(self.well_formed_ids)
        missing = [tenant_id for tenant_id in self.well_formed_ids if tenant_id not in known]
        answers = instances.ask_all(missing, ob_service.get_tenant)
        registry_sync.store(a for a in answers.values() if isinstance(a, TenantRecord))
        self.unreadable = {
            tenant_id: answer
            for tenant_id, answer in answers.items()
            if isinstance(answer, StageError) and not isinstance(answer, TenantUnknown)
        }
        return {**known, **self._registered(missing)}

    unreadable: dict[str, StageError] | None = None
    """After `tenants` was read: why the OB service could not be asked, by tenant id."""

    @cached_property
    def target(self) -> str | None:
        """The target environment, asked for or the one where none of the tenants is yet."""
        if self.request.target is not None:
            return self.request.target
        now = {tenant.environment for tenant in self.tenants.values()}
        others = [value for value in Environment.values if value not in now]
        return others[0] if len(others) == 1 else None

    @staticmethod
    def _registered(tenant_ids: list[str]) -> dict[str, Tenant]:
        found: dict[str, Tenant] = {}
        for start in range(0, len(tenant_ids), IN_CLAUSE_MAX):
            found |= Tenant.objects.in_bulk(tenant_ids[start : start + IN_CLAUSE_MAX])
        return found
