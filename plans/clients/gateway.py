"""The gateway: to which environment a tenant's traffic goes."""

from typing import Final

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.clients.fields import Fields
from plans.clients.http import Call, request, segment

SERVICE: Final = "GATEWAY"


def get_route(tenant_id: str, call: Call | None = None) -> str:
    """`blue` or `green`."""
    return _read(tenant_id, "GET", call)


def put_route(tenant_id: str, environment: str, call: Call) -> str:
    """Send the tenant's traffic to `environment`; returns what the gateway confirms.

    Raises ServiceBadAnswer when it confirms another one.
    """
    return _read(tenant_id, "PUT", call, environment)


def _read(tenant_id: str, method: str, call: Call | None, asked: str | None = None) -> str:
    url = f"{conf.GATEWAY_URL}/routes/{segment(tenant_id)}"
    answer = request(SERVICE, method, url, call, json={"color": asked} if asked else None)
    fields = Fields(answer.body, SERVICE, method, url)
    fields.tenant(tenant_id)
    color = fields.environment("color")
    if asked is not None and color != asked:
        raise fields.bad(_("color is %(color)s, not %(asked)s"), color=color, asked=asked)
    return color
