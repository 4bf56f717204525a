"""Tell a service by an HTTP call."""

from typing import Any

from plans.clients import services
from plans.clients.http import Call
from plans.notify.base import Notice, Recipient, Strategy
from plans.notify.registry import register


@register
class DirectRpc(Strategy):
    """`POST {address}/notify`."""

    name = "direct_rpc"

    def notify(self, recipient: Recipient, notice: Notice, call: Call) -> dict[str, Any]:
        return services.notify(
            recipient.address, notice.tenant_id, notice.version, notice.environment, call
        )
