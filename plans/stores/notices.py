"""What services are to know of a tenant, in Redis: never an older notice over a newer one."""

from datetime import UTC, datetime

from plans import effects
from plans.stores import versioned
from plans.stores.connection import redis_errors, tenant_redis
from plans.stores.versioned import Stamp, WriteResult


def key_of(service: str, tenant_id: str) -> str:
    """The key of a service's notice: a hash of `version`, `epoch`, `color`, `updated_at`."""
    return f"bg:notice:{service}:{tenant_id}"


def leave(service: str, tenant_id: str, version: int, epoch: int, color: str) -> WriteResult:
    """Leave the notice, unless Redis holds a newer one; raises RedisUnavailable.

    Refused is a lower version, and the same version from a lower epoch; the result says so.
    """
    fields = {"color": color, "updated_at": datetime.now(UTC).isoformat()}
    key = key_of(service, tenant_id)
    with effects.noting(effects.REDIS, "HSET", key, fence=epoch) as effect, redis_errors():
        result = versioned.write_hash(tenant_redis(), key, fields, Stamp(version, epoch))
        effect.outcome = result.shown
    return result
