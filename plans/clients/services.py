"""Services that are told of a switch: an instance, or any service with an address of its own."""

from typing import Any, Final

from plans.clients.fields import Fields
from plans.clients.http import Call, request

SERVICE: Final = "NOTIFY"


def notify_url(address: str) -> str:
    """Where the service at `address` takes notices."""
    return f"{address.rstrip('/')}/notify"


def notify(
    address: str, tenant_id: str, version: int, environment: str, call: Call
) -> dict[str, Any]:
    """Tell a service where the tenant is going; the JSON object that it answers, maybe empty.

    Raises the `ServiceError`s of `plans.errors` with the codes `NOTIFY_…`.
    """
    url = notify_url(address)
    notice = {"tenantId": tenant_id, "version": str(version), "color": environment}
    body = request(SERVICE, "POST", url, call, json=notice).body
    Fields(body, SERVICE, "POST", url).tenant(tenant_id)
    return body
