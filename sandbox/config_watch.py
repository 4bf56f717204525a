"""How the instances get their configuration: from Redis, on a notice or by a slow poll.

The hash `bg:config:{tenantId}` holds the configuration (`version`, `color`); the channel
`bg:config` carries notices `{"tenantId", "version"}`. A notice may be lost, and so may Redis
itself: the watch connects again and the poll finds what was missed.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sandbox.faults import Faults
from sandbox.instances import take_up
from sandbox.tenants import COLORS, Fleet, Tenant

log = logging.getLogger("sandbox.config")

CHANNEL = "bg:config"
KEY_PREFIX = "bg:config:"
REDIS_TIMEOUT_SECONDS = 5
QUIET_SECONDS = 5
RECONNECT_SECONDS = 0.2
CHUNK = 500

# One short answer for many keys: a large fleet's poll must cost next to nothing.
VERSIONS = """
local found = {}
for i, key in ipairs(KEYS) do
  local version = redis.pcall('HGET', key, 'version')
  if type(version) == 'string' and #version <= 18 and string.match(version, '^%d+$') then
    found[i] = version
  else
    found[i] = ''
  end
end
return table.concat(found, ',')
"""


def as_version(value: bytes | None) -> int | None:
    return int(value) if value and len(value) <= 18 and value.isdigit() else None


class ConfigWatch:
    """Keeps the fleet's instances at the configuration that Redis holds. Run `run()` as a task."""

    def __init__(self, url: str, fleet: Fleet, faults: Faults, poll_seconds: float) -> None:
        self._fleet = fleet
        self._faults = faults
        self._poll_seconds = poll_seconds
        self._redis: Any = redis.asyncio.Redis.from_url(
            url,
            protocol=2,
            max_connections=8,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            # The loops below try again themselves; the library's default gives up slowly.
            retry=Retry(NoBackoff(), 0),
        )
        # Tenants themselves, not ids: what was read for a fleet must not reach the next one.
        self._due: dict[str, Tenant] = {}
        self._some_due = asyncio.Event()
        self._poll_now = asyncio.Event()
        self.connected = False
        self.notices = 0
        self.polls = 0

    async def run(self) -> None:
        """Listen, read and poll until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forever(self._listen))
                group.create_task(self._forever(self._read_due))
                group.create_task(self._forever(self._poll))
        finally:
            await self._redis.aclose()

    def poll_soon(self) -> None:
        self._poll_now.set()

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (RedisError, OSError) as error:
                if self.connected:
                    log.warning("Redis does not answer, trying again: %s", error)
                self.connected = False
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            self.connected = True
            # What was said before the subscription is not heard: look once.
            self._poll_now.set()
            silent = False
            while True:
                message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is not None:
                    silent = False
                    self._hear(message)
                elif silent:
                    raise TimeoutError("no answer to a ping on the subscription")
                else:
                    silent = True
                    await pubsub.ping()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] != "message":
            return
        self.notices += 1
        try:
            tenant_id = json.loads(message["data"])["tenantId"]
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("A notice on %s is not readable.", CHANNEL)
            return
        tenant = self._fleet.get(tenant_id) if isinstance(tenant_id, str) else None
        if tenant is not None:
            self._look_at(tenant)

    def _look_at(self, tenant: Tenant) -> None:
        self._due[tenant.tenant_id] = tenant
        self._some_due.set()

    async def _read_due(self) -> None:
        while True:
            await self._some_due.wait()
            self._some_due.clear()
            due, self._due = list(self._due.values()), {}
            for begin in range(0, len(due), CHUNK):
                await self._read(due[begin : begin + CHUNK])

    async def _read(self, tenants: list[Tenant]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for tenant in tenants:
            pipeline.hmget(KEY_PREFIX + tenant.tenant_id, "version", "color")
        # A key of the wrong type spoils its own answer only.
        answers = await pipeline.execute(raise_on_error=False)
        for tenant, answer in zip(tenants, answers, strict=True):
            if isinstance(answer, Exception):
                continue
            version = as_version(answer[0])
            color = (answer[1] or b"").decode("latin-1")
            if version is not None:
                take_up(tenant, self._faults, version, color if color in COLORS else None)

    async def _poll(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), self._poll_seconds)
            self._poll_now.clear()
            tenants = list(self._fleet)
            for begin in range(0, len(tenants), CHUNK):
                await self._compare(tenants[begin : begin + CHUNK])
            self.polls += 1

    async def _compare(self, tenants: list[Tenant]) -> None:
        keys = [KEY_PREFIX + tenant.tenant_id for tenant in tenants]
        answer = await self._redis.eval(VERSIONS, len(keys), *keys)
        for tenant, text in zip(tenants, answer.split(b","), strict=True):
            version = as_version(text)
            if version is not None and tenant.expects(version):
                self._look_at(tenant)
