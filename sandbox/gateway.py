"""The gateway: which environment a tenant's traffic goes to."""

from sandbox.answers import Answer, color_in, refusal, unknown_tenant
from sandbox.tenants import Fleet


def get_route(fleet: Fleet, tenant_id: str) -> Answer:
    tenant = fleet.get(tenant_id)
    if tenant is None:
        return unknown_tenant(tenant_id)
    return Answer(200, {"tenantId": tenant_id, "color": tenant.route})


def put_route(fleet: Fleet, tenant_id: str, body: bytes) -> Answer:
    """Takes `{"color": "blue" | "green"}`."""
    tenant = fleet.get(tenant_id)
    if tenant is None:
        return unknown_tenant(tenant_id)
    color = color_in(body, "color", upper=False)
    if color is None:
        return refusal(400, 'The body must be {"color": "blue"} or {"color": "green"}.')
    tenant.route = color
    return Answer(200, {"tenantId": tenant_id, "color": color}, applied=True)
