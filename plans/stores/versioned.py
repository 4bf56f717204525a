"""Values in Redis that only ever move on: never an older version over a newer one.

A value is a string or a hash with several fields. Its version and the epoch (fencing token) of
its writer stand beside it: in the hash itself as the fields `version` and `epoch`, for a string
in a hash of its own (`fence_key`). What is written, compared and announced is one script, so
nobody ever sees half of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from redis import Redis
from redis.commands.core import Script

DIGITS_MAX = 100
FIELDS_MAX = 1000
OWN_FIELDS = frozenset({"version", "epoch"})
_HASH_TAG = re.compile(r"\{[^}]+\}")

Text = str | bytes

# Lua's numbers are exact only up to 2^53, so numbers are compared as digits.
_WRITE = """
local version_text, epoch_text, digits_max, kind, unless_held, channel, notice = unpack(ARGV, 1, 7)

local function number(text)
  if not text or #text > tonumber(digits_max) or not string.match(text, '^%d+$') then return '0' end
  local digits = string.gsub(text, '^0+', '')
  if digits == '' then return '0' end
  return digits
end

local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local fence = KEYS[2]
if redis.call('TYPE', fence)['ok'] ~= 'hash' then
  redis.call('DEL', fence)
end
local held = redis.call('HMGET', fence, 'version', 'epoch')
local held_version, held_epoch = number(held[1]), number(held[2])
local version, epoch = number(version_text), number(epoch_text)

if less(version, held_version) or (version == held_version and less(epoch, held_epoch)) then
  return {0, held_version, held_epoch}
end
local outcome = 1
if unless_held == '1' and held[1] and version == held_version
    and redis.call('EXISTS', KEYS[1]) == 1 then
  outcome = 2
elseif kind == 'string' then
  redis.call('SET', KEYS[1], ARGV[8], 'KEEPTTL')
else
  redis.call('HSET', KEYS[1], unpack(ARGV, 8))
end
redis.call('HSET', fence, 'version', version, 'epoch', epoch)
if channel ~= '' then
  redis.call('PUBLISH', channel, notice)
end
return {outcome, version, epoch}
"""


class WriteOutcome(IntEnum):
    """What became of a write."""

    REFUSED = 0
    WRITTEN = 1
    HELD = 2
    """This version was there already; only the notice was sent again."""


@dataclass(frozen=True)
class WriteResult:
    """What became of a write, and what Redis holds now. A refusal is a result, no exception."""

    outcome: WriteOutcome
    held_version: int
    held_epoch: int

    @property
    def written(self) -> bool:
        """Redis holds what was to be written, by this call or an earlier one."""
        return self.outcome is not WriteOutcome.REFUSED

    @property
    def shown(self) -> str:
        """In a few words: what became of it, and the version that Redis holds now."""
        return f"{self.outcome.name} {self.held_version}"


@dataclass(frozen=True)
class Stamp:
    """Which version is written by whom, and who is told.

    `version` and `epoch` are compared as numbers of up to 100 digits. The notice is published on
    `channel` together with the write; "" publishes nothing. With `unless_held` a version that is
    held already is left as it is, and only announced again: notices get lost.
    """

    version: int
    epoch: int = 0
    channel: Text = ""
    notice: Text = ""
    unless_held: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.version < 10**DIGITS_MAX or not 0 <= self.epoch < 10**DIGITS_MAX:
            raise ValueError("Versions and epochs have 1 to 100 decimal digits.")


def write_hash(client: Redis, key: str, fields: Mapping[str, Text], stamp: Stamp) -> WriteResult:
    """Set `fields` (1 to 1,000) of the hash at `key`, unless it holds something newer.

    Refused is a lower version, and the same version from a lower epoch. Fields that are not named
    stay, and so does the key's TTL; a key of another type is replaced. Raises ValueError for
    fields named `version` or `epoch`, and redis-py's errors.
    """
    if not 0 < len(fields) <= FIELDS_MAX:
        raise ValueError(f"A hash is written with 1 to {FIELDS_MAX} fields at once.")
    if OWN_FIELDS & fields.keys():
        raise ValueError("The fields version and epoch are those of the stamp.")
    pairs = [part for field in fields.items() for part in field]
    return _run(client, [key, key], "hash", stamp, pairs)


def write_string(client: Redis, key: str, value: Text, stamp: Stamp) -> WriteResult:
    """Set the string at `key`, unless it holds something newer: as `write_hash`."""
    return _run(client, [key, fence_key(key)], "string", stamp, [value])


def fence_key(key: str) -> str:
    """Where version and epoch of the string at `key` stand: in the same slot of a cluster."""
    return f"{key}:version" if _HASH_TAG.search(key) else f"{{{key}}}:version"


def _run(
    client: Redis, keys: list[str], kind: str, stamp: Stamp, values: list[Text]
) -> WriteResult:
    outcome, version, epoch = _script(client)(
        keys=keys,
        args=[
            stamp.version,
            stamp.epoch,
            DIGITS_MAX,
            kind,
            int(stamp.unless_held),
            stamp.channel,
            stamp.notice,
            *values,
        ],
    )
    return WriteResult(WriteOutcome(outcome), int(version), int(epoch))


@cache
def _script(client: Redis) -> Script:
    return client.register_script(_WRITE)
