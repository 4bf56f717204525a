"""Leave the notice in Redis, then tell the service by an HTTP call."""

from typing import Any

from plans.clients.http import Call
from plans.errors import StaleVersion
from plans.notify.base import Notice, Recipient
from plans.notify.direct_rpc import DirectRpc
from plans.notify.registry import register
from plans.stores import notices


@register
class RedisRpc(DirectRpc):
    """For services that read what is so when they start, and are called when it changes.

    The notice is in Redis before the call: a service that misses the call still finds it.
    """

    name = "redis_rpc"

    def notify(self, recipient: Recipient, notice: Notice, call: Call) -> dict[str, Any]:
        call.before()  # Not one byte once the lease is lost.
        left = notices.leave(
            recipient.service, notice.tenant_id, notice.version, call.fence, notice.environment
        )
        if not left.written:
            raise StaleVersion(
                tenant=notice.tenant_id,
                version=notice.version,
                epoch=call.fence,
                held_version=left.held_version,
                held_epoch=left.held_epoch,
            )
        return super().notify(recipient, notice, call)
