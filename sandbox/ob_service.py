"""The OB service: who the tenants are and which environment they belong to."""

from typing import Any
from urllib.parse import parse_qs

from sandbox.answers import Answer, color_in, refusal, unknown_tenant
from sandbox.tenants import Fleet, Tenant

MAX_LIST_LIMIT = 1000


def describe(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenantId": tenant.tenant_id,
        "name": tenant.name,
        "status": tenant.status.upper(),
        "configVersion": str(tenant.config_version),
        "endpoints": tenant.endpoints,
    }


def list_tenants(fleet: Fleet, query: bytes) -> Answer:
    """`query` is the raw query string: `after` (an id) and `limit` (1 to 1000)."""
    wanted = parse_qs(query.decode("latin-1"))
    limit = wanted.get("limit", [str(MAX_LIST_LIMIT)])[0]
    if not (limit.isascii() and limit.isdigit() and int(limit[:9]) > 0):
        return refusal(400, "limit must be a whole number above zero.")
    after = wanted.get("after", [""])[0]
    tenants, more = fleet.after(after, min(int(limit[:9]), MAX_LIST_LIMIT))
    following = tenants[-1].tenant_id if more else None
    return Answer(200, {"items": [describe(tenant) for tenant in tenants], "next": following})


def get_tenant(fleet: Fleet, tenant_id: str) -> Answer:
    tenant = fleet.get(tenant_id)
    return Answer(200, describe(tenant)) if tenant else unknown_tenant(tenant_id)


def put_status(fleet: Fleet, tenant_id: str, body: bytes) -> Answer:
    """Takes `{"status": "BLUE" | "GREEN"}`.

    With the status the service notes the configuration version that the tenant's instances run.
    """
    tenant = fleet.get(tenant_id)
    if tenant is None:
        return unknown_tenant(tenant_id)
    color = color_in(body, "status", upper=True)
    if color is None:
        return refusal(400, 'The body must be {"status": "BLUE"} or {"status": "GREEN"}.')
    tenant.config_version = max(tenant.config_version, tenant.version_in_effect)
    tenant.status = color
    return Answer(200, describe(tenant), applied=True)
