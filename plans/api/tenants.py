"""Look at the registry of tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from ninja import Query, Router
from pydantic import BeforeValidator, Field

from plans.api.auth import ApiRequest
from plans.api.lookups import existing_tenant, require_storable
from plans.api.schemas import (
    Answer,
    OptionalText,
    Page,
    Paging,
    answers,
    none_if_empty,
    or_empty,
    page_of,
)
from plans.api.tenant_versions import VersionsAnswer
from plans.models import Environment, Tenant
from plans.queries import lists
from plans.queries.versions import ask_versions

router = Router(tags=["tenants"], by_alias=True)


class TenantFilters(Paging):
    """Which tenants."""

    search: OptionalText = Field(None, description="Part of the id or the name")
    environment: Annotated[
        Environment | None, BeforeValidator(none_if_empty), Field(json_schema_extra=or_empty)
    ] = None
    label: OptionalText = Field(None, description="A label, as `name=value`")


class TenantAnswer(Answer):
    """A tenant as the OB service last described it."""

    tenant_id: str
    name: str
    environment: Environment
    config_version: str = Field(description="A decimal number")
    endpoints: list[str]
    labels: dict[str, str] = Field(description="Set by `manage.py label_tenants`")
    synced_at: datetime = Field(description="When the OB service last said something new of it")

    @classmethod
    def of_all(cls, tenants: Sequence[Tenant]) -> list[Self]:
        return [
            cls(
                tenant_id=tenant.pk,
                name=tenant.name,
                environment=Environment(tenant.environment),
                config_version=str(tenant.config_version),
                endpoints=tenant.endpoints,
                labels=tenant.labels,
                synced_at=tenant.synced_at,
            )
            for tenant in tenants
        ]


@router.get("/tenants", response=answers(Page[TenantAnswer]), summary="List tenants")
def list_tenants(request: ApiRequest, filters: Query[TenantFilters]) -> Page[TenantAnswer]:
    """By id. Tenants that the OB service no longer has are left out."""
    require_storable("search", filters.search)
    require_storable("label", filters.label)
    found = lists.tenants(filters.search or "", filters.environment, filters.label or "")
    return Page[TenantAnswer](**page_of(found, filters, TenantAnswer.of_all))


@router.get(
    "/tenants/{tenant_id}/versions",
    response=answers(VersionsAnswer, 404),
    summary="Compare a tenant's instances with Redis",
)
def get_tenant_versions(request: ApiRequest, tenant_id: str) -> VersionsAnswer:
    """Which configuration Redis holds, and which one each instance reports right now.

    Every instance is asked once, all at the same time; the answer takes as long as the slowest one,
    ten seconds at most with the default settings. Instances outside the allowed networks are not
    asked and are `silent`. Nothing is changed. 503 when Redis cannot be reached.
    """
    found = ask_versions(existing_tenant(tenant_id))
    return VersionsAnswer.model_validate(found.as_json())
