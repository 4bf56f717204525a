"""The versioned configuration of a tenant in Redis: never an older one over a newer one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import ResponseError

from plans import conf, effects
from plans.stores import versioned
from plans.stores.connection import redis_errors, tenant_redis
from plans.stores.versioned import DIGITS_MAX, Stamp, WriteResult

CHANNEL = "bg:config"


@dataclass(frozen=True)
class StoredConfig:
    """What Redis holds for a tenant.

    A number that cannot be read counts as 0, a payload that is not JSON is given as its text.
    """

    version: int
    epoch: int
    color: str
    payload: Any
    updated_at: str


def key_of(tenant_id: str) -> str:
    """The key of a tenant's configuration."""
    return f"bg:config:{tenant_id}"


def read(tenant_id: str) -> StoredConfig | None:
    """What Redis holds for the tenant, None for nothing. Raises RedisUnavailable."""
    key = key_of(tenant_id)
    with effects.noting(effects.REDIS, "HMGET", key) as effect, redis_errors():
        held = _held(key)
        if not any(value is not None for value in held):
            effect.outcome = "FOUND NOTHING"
            return None
        version, epoch, color, payload, updated_at = (
            (value or b"").decode(errors="replace") for value in held
        )
        effect.outcome = f"FOUND {_number(version)}"
    return StoredConfig(_number(version), _number(epoch), color, _json(payload), updated_at)


def write(
    tenant_id: str,
    version: int,
    epoch: int,
    color: str,
    payload: Any,
    *,
    unless_held: bool = False,
) -> WriteResult:
    """Store the configuration and publish a notice, unless Redis holds a newer one.

    Refused is a lower version, and the same version from a lower epoch; the result says so.
    Writing the same again is the same as once; with `unless_held` the version that is there
    already is only announced again. A TTL of the key stays, unless `CONFIG_TTL_SECONDS` sets one.
    Raises RedisUnavailable, and ValueError for a version that is negative or has more than 100
    digits.
    """
    fields = {
        "color": color,
        "payload": text_of(payload),
        "updated_at": datetime.now(UTC).isoformat(),
    }
    notice = json.dumps({"tenantId": tenant_id, "version": str(version)})
    stamp = Stamp(version, epoch, CHANNEL, notice, unless_held)
    key = key_of(tenant_id)
    with effects.noting(effects.REDIS, "HSET PUBLISH", key, fence=epoch) as effect, redis_errors():
        result = versioned.write_hash(tenant_redis(), key, fields, stamp)
        effect.outcome = result.shown
    if result.written and conf.CONFIG_TTL_SECONDS:
        # Renewals keep it alive while a task needs it.
        with effects.noting(effects.REDIS, "PEXPIRE", key), redis_errors():
            tenant_redis().pexpire(key, round(conf.CONFIG_TTL_SECONDS * 1000))
    return result


def text_of(payload: Any) -> str:
    """The payload as it stands in Redis: what a digest of it is taken from."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)


def _held(key: str) -> list[Any]:
    names = ("version", "epoch", "color", "payload", "updated_at")
    try:
        held: list[Any] = tenant_redis().hmget(key, names)
    except ResponseError as error:
        if str(error).startswith("WRONGTYPE"):
            return [None] * len(names)  # Whatever it is, it is no configuration.
        raise
    return held


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else 0


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
