"""All that the sandbox holds, in one place."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from sandbox.config_watch import ConfigWatch
from sandbox.faults import Faults
from sandbox.fences import Fences
from sandbox.record import Record
from sandbox.tenants import Fleet


@dataclass
class World:
    """`tenants`, `instances`, `start` are what a reset goes back to unless it names others."""

    fleet: Fleet
    tenants: int = 60
    instances: int = 3
    start: str = "blue"
    faults: Faults = field(default_factory=Faults)
    fences: Fences = field(default_factory=Fences)
    record: Record = field(default_factory=Record)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    watch: ConfigWatch | None = None

    def fill(self, tenants: int, instances: int, start: str) -> None:
        self.fleet.fill(tenants, instances, start)
        if self.watch:
            # Redis may hold configuration for the new tenants already.
            self.watch.poll_soon()

    def reset(self, tenants: int, instances: int, start: str) -> None:
        """New tenants; no faults, no record, no fences."""
        self.faults.clear()
        self.fences.reset()
        self.record.clear()
        self.fill(tenants, instances, start)

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the sandbox runs."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)
