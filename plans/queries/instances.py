"""What a tenant's instances said: to the stage that waits for them now, or to the last that asked.

A stage shows its instances by `instances`, by endpoint, in the memo of its `Wait`, in its result,
or in the values of its error. Each is a text (what the instance said) or
`{"said", "attempts", "reason", "at"}`; `reason` None means that it has acknowledged.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plans.ack.result import InstanceAck, Status
from plans.models import StageRun, StageRunState, Task

UNHEALTHY = "unhealthy"
"""It has the version, and says that it is not well."""
ROWS_MAX = 100
"""Rows that a page shows: those that have acknowledged make room for the others."""


@dataclass(frozen=True)
class InstanceRow:
    """What one instance last said; `status` is `latest`, `unhealthy`, `outdated` or `silent`."""

    endpoint: str
    said: str
    status: str
    attempts: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Instances:
    """The instances as a stage run found them, or, while it waits for them, finds them."""

    run: StageRun
    expected: str
    rows: list[InstanceRow]
    is_waiting: bool = False

    @property
    def shown(self) -> list[InstanceRow]:
        """All rows, or, where there are many, those that are of interest first."""
        if len(self.rows) <= ROWS_MAX:
            return self.rows
        return sorted(self.rows, key=lambda row: row.status == Status.LATEST)[:ROWS_MAX]

    @property
    def hidden(self) -> int:
        """How many rows are not shown."""
        return len(self.rows) - len(self.shown)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many are `latest`, `outdated` and `silent`; and `unhealthy`, if any is."""
        found = Counter(row.status for row in self.rows)
        unwell = [(UNHEALTHY, found[UNHEALTHY])] if found[UNHEALTHY] else []
        return [(status.value, found[status]) for status in Status] + unwell


def instances_of(task: Task, runs: list[StageRun]) -> Instances | None:
    """The instances of `task`, of whose stage runs (oldest first) the last one asked knows best."""
    for run in reversed(runs):
        is_open = run.state == StageRunState.RUNNING
        kept = task.memo if is_open else run.result or _values(run)
        if isinstance(said := kept.get("instances"), dict) and said:
            expected = str(
                kept.get("expected") or kept.get("version") or task.context.get("version") or ""
            )
            rows = [_row(endpoint, each, expected) for endpoint, each in said.items()]
            return Instances(run, expected, rows, is_open)
    return None


def _values(run: StageRun) -> Mapping[str, Any]:
    values: Mapping[str, Any] = ((run.failure or {}).get("message") or {}).get("values") or {}
    return values


def _row(endpoint: str, stored: Any, expected: str) -> InstanceRow:
    try:
        found = InstanceAck.from_json(stored)
        at = datetime.fromisoformat(found.at) if found.at else None
    except (KeyError, TypeError, ValueError, AttributeError):  # A stage's own way to say it.
        return InstanceRow(endpoint, str(stored), _status_of_text(str(stored), expected))
    return InstanceRow(endpoint, found.said, found.status.value, found.attempts, at)


def _status_of_text(said: str, expected: str) -> str:
    words = said.split()
    if expected and words and words[-1] == expected:
        return Status.LATEST.value if words[0] in (expected, "UP") else UNHEALTHY
    return (Status.SILENT if "_" in said else Status.OUTDATED).value
