"""Which configuration a tenant has: what Redis holds, and what each instance reports right now."""

from dataclasses import dataclass
from typing import Any

from plans import conf
from plans.ack.delivery import wait_for
from plans.ack.poll import Poll
from plans.ack.question import Question
from plans.ack.result import AckResult, Status
from plans.ack.strategies import Exponential
from plans.models import Tenant
from plans.stores import tenant_config
from plans.stores.tenant_config import StoredConfig

PAUSE_MAX_SECONDS = 3.0


@dataclass(frozen=True)
class TenantVersions:
    """What was found; `held` None: Redis holds nothing for the tenant."""

    tenant: Tenant
    held: StoredConfig | None
    ack: AckResult

    @property
    def counts(self) -> dict[str, int]:
        """How many instances are `latest`, `outdated` and `silent`."""
        statuses = [instance.status for instance in self.ack.instances.values()]
        return {status.value: statuses.count(status) for status in Status}

    def as_json(self) -> dict[str, Any]:
        """What was found, as the API and `manage.py ack --json` say it."""
        held, actual = self.held, self.ack.actual
        return {
            "tenantId": self.tenant.pk,
            "redis": {
                "version": str(held.version),
                "epoch": str(held.epoch),
                "color": held.color,
                "updatedAt": held.updated_at,
            }
            if held
            else None,
            "expected": self.ack.expected_version,
            "agreed": self.ack.success,
            "counts": self.counts,
            "instances": [
                {
                    "endpoint": endpoint,
                    "status": each.status.value,
                    "version": actual[endpoint],
                    "error": each.said if each.status is Status.SILENT else None,
                }
                for endpoint, each in self.ack.instances.items()
            ],
        }


def ask_versions(
    tenant: Tenant, version: int | None = None, wait_seconds: float = 0.0
) -> TenantVersions:
    """Read Redis once, and ask every instance until all report `version` or the time is over.

    `version` None: the one that Redis holds, or, where it holds none, the one that the OB service
    last named. Changes nothing. Raises RedisUnavailable; an instance that cannot be asked, or may
    not be (SSRF guard), is silent.
    """
    held = tenant_config.read(tenant.pk)
    if version is None:
        version = held.version if held else tenant.config_version
    poll = Poll.of(tenant.endpoints, str(version))
    strategy = Exponential(conf.ACK_POLL_SECONDS, PAUSE_MAX_SECONDS)
    return TenantVersions(tenant, held, wait_for(poll, Question(), strategy, wait_seconds))
