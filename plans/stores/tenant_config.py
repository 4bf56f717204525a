"""The versioned configuration of a tenant in Redis: never an older one over a newer one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ResponseError

from plans.stores.connection import redis_errors, tenant_redis

CHANNEL = "bg:config"
DIGITS_MAX = 100

# Lua's numbers are exact only up to 2^53, so numbers are compared as digits.
_WRITE = """
local function number(text)
  if not text or #text > tonumber(ARGV[7]) or not string.match(text, '^%d+$') then return '0' end
  local digits = string.gsub(text, '^0+', '')
  if digits == '' then return '0' end
  return digits
end

local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then
  redis.call('DEL', KEYS[1])
end
local held = redis.call('HMGET', KEYS[1], 'version', 'epoch')
local held_version, held_epoch = number(held[1]), number(held[2])
local version, epoch = number(ARGV[1]), number(ARGV[2])

if less(version, held_version) or (version == held_version and less(epoch, held_epoch)) then
  return {0, held_version, held_epoch}
end
redis.call('HSET', KEYS[1], 'version', version, 'epoch', epoch,
           'color', ARGV[3], 'payload', ARGV[4], 'updated_at', ARGV[5])
redis.call('PUBLISH', 'bg:config', ARGV[6])
return {1, version, epoch}
"""


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


@dataclass(frozen=True)
class WriteResult:
    """Whether the write was done, and what Redis holds now."""

    written: bool
    held_version: int
    held_epoch: int


def key_of(tenant_id: str) -> str:
    """The key of a tenant's configuration."""
    return f"bg:config:{tenant_id}"


@redis_errors()
def read(tenant_id: str) -> StoredConfig | None:
    """What Redis holds for the tenant, None for nothing. Raises RedisUnavailable."""
    names = ("version", "epoch", "color", "payload", "updated_at")
    try:
        held: list[Any] = tenant_redis().hmget(key_of(tenant_id), names)
    except ResponseError as error:
        if str(error).startswith("WRONGTYPE"):
            return None  # Whatever it is, it is no configuration.
        raise
    if not any(value is not None for value in held):
        return None
    version, epoch, color, payload, updated_at = (
        (value or b"").decode(errors="replace") for value in held
    )
    return StoredConfig(_number(version), _number(epoch), color, _json(payload), updated_at)


@redis_errors()
def write(tenant_id: str, version: int, epoch: int, color: str, payload: Any) -> WriteResult:
    """Store the configuration and publish a notice, unless Redis holds a newer one.

    Refused is a lower version, and the same version from a lower epoch; the result says so.
    Writing the same again is the same as once. A TTL of the key stays. Raises RedisUnavailable,
    and ValueError for a version that is negative or has more than 100 digits.
    """
    if not 0 <= version < 10**DIGITS_MAX:
        raise ValueError("A version has 1 to 100 decimal digits.")
    script = _script(tenant_redis())
    done, held_version, held_epoch = script(
        keys=[key_of(tenant_id)],
        args=[
            version,
            epoch,
            color,
            json.dumps(payload, ensure_ascii=False, sort_keys=True),
            datetime.now(UTC).isoformat(),
            json.dumps({"tenantId": tenant_id, "version": str(version)}),
            DIGITS_MAX,
        ],
    )
    return WriteResult(bool(done), int(held_version), int(held_epoch))


@cache
def _script(client: Redis) -> Script:
    return client.register_script(_WRITE)


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else 0


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
