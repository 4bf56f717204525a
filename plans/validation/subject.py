"""What the validators look at: the request, and what is known of its tenants."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from plans import conf
from plans.models import TENANT_ID_PATTERN, Environment, Tenant
from plans.validation.lookup import Lookup, look_up
from plans.validation.request import PlanRequest

_TENANT_ID = re.compile(rf"\A{TENANT_ID_PATTERN}\Z")


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
    def lookup(self) -> Lookup:
        """What is known of the tenants, and of which nothing is and why."""
        return look_up(self.well_formed_ids)

    @property
    def tenants(self) -> Mapping[str, Tenant]:
        """The known tenants by id."""
        return self.lookup.known

    @cached_property
    def target(self) -> str | None:
        """The target environment, asked for or the one where none of the tenants is yet."""
        if self.request.target is not None:
            return self.request.target
        now = {tenant.environment for tenant in self.tenants.values()}
        others = [value for value in Environment.values if value not in now]
        return others[0] if len(others) == 1 else None
