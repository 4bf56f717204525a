"""Tenants and their instances: plain objects in memory."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sandbox.names import tenant_name

COLORS = ("blue", "green")
FIRST_CONFIG_VERSION = 19


@dataclass(slots=True)
class Instance:
    """One running instance; `version` and `color` are the configuration that it has in effect.

    `coming` is the highest version that it has seen, in effect or on the way.
    """

    version: int
    color: str
    coming: int
    notified: str | None = None


@dataclass(slots=True)
class Tenant:
    """`status` belongs to the OB service, `route` to the gateway; both are a colour."""

    tenant_id: str
    name: str
    status: str
    route: str
    endpoints: list[str]
    config_version: int = FIRST_CONFIG_VERSION
    _instances: list[Instance] = field(default_factory=list)

    @property
    def instances(self) -> list[Instance]:
        # Made at first use: most of a large fleet's instances are never looked at.
        if not self._instances:
            self._instances = [
                Instance(self.config_version, self.status, self.config_version)
                for _ in self.endpoints
            ]
        return self._instances

    def instance(self, number: int) -> Instance | None:
        """`number` counts from 1."""
        return self.instances[number - 1] if 1 <= number <= len(self.endpoints) else None

    def replace_endpoints(self, endpoints: list[str]) -> None:
        """Other addresses, and as many instances anew."""
        self.endpoints = endpoints
        self._instances = []

    def expects(self, version: int) -> bool:
        """True if some instance has not seen `version` yet."""
        if not self._instances:
            return version > self.config_version
        return any(version > instance.coming for instance in self._instances)

    @property
    def version_in_effect(self) -> int:
        """The highest configuration version that an instance runs."""
        if not self._instances:
            return self.config_version
        return max(instance.version for instance in self._instances)


class Fleet:
    """All tenants by id. `base_url` is the sandbox's own address, without a slash at its end.

    `generation` grows when all tenants are replaced.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.generation = 0
        self._tenants: dict[str, Tenant] = {}
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._tenants)

    def __iter__(self) -> Iterator[Tenant]:
        """In order of id."""
        return (self._tenants[tenant_id] for tenant_id in self._ids)

    def get(self, tenant_id: str) -> Tenant | None:
        return self._tenants.get(tenant_id)

    def fill(self, count: int, instances: int, start: str) -> None:
        """Replace all tenants by `tenant-001` to `tenant-{count}`, all in colour `start`."""
        self.generation += 1
        self._tenants = {}
        for number in range(1, count + 1):
            self._put(f"tenant-{number:03}", tenant_name(number), instances, start)
        self._ids = sorted(self._tenants)

    def ensure(self, tenant_id: str, instances: int, start: str) -> Tenant:
        """The tenant of this id; a new one if there is none."""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            tenant = self._put(tenant_id, tenant_id, instances, start)
            self._ids = sorted(self._tenants)
        return tenant

    def after(self, tenant_id: str, limit: int) -> tuple[list[Tenant], bool]:
        """Up to `limit` tenants whose id follows `tenant_id`, and whether more follow them."""
        begin = bisect_right(self._ids, tenant_id) if tenant_id else 0
        ids = islice(self._ids, begin, begin + limit)
        return [self._tenants[each] for each in ids], begin + limit < len(self._ids)

    def _put(self, tenant_id: str, name: str, instances: int, start: str) -> Tenant:
        place = f"{self.base_url}/i/{tenant_id}"
        endpoints = [f"{place}/{number}" for number in range(1, instances + 1)]
        tenant = Tenant(tenant_id, name, start, start, endpoints)
        self._tenants[tenant_id] = tenant
        return tenant
