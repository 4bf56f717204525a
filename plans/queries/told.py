"""Which services were told of a switch or of its return, as a task's page shows it."""

from dataclasses import dataclass, field
from typing import Any

from plans.models import StageRun, Task


@dataclass(frozen=True)
class ToldRow:
    """One address: `answer` is what it said, `code` why it is not told."""

    address: str
    told: bool
    tries: int
    answer: str
    code: str


@dataclass(frozen=True)
class ToldService:
    """One service and its addresses."""

    name: str
    strategy: str
    rows: list[ToldRow] = field(default_factory=list)

    @property
    def told(self) -> int:
        """How many of its addresses are told."""
        return sum(row.told for row in self.rows)

    @property
    def is_told(self) -> bool:
        return self.told == len(self.rows)


def told_services(task: Task, run: StageRun | None) -> list[ToldService]:
    """Whom `run` told, also while it still waits to tell the others; none for other stages."""
    services: dict[str, ToldService] = {}
    for entry in _entries(task, run):
        name = entry["service"]
        service = services.setdefault(name, ToldService(name, entry["strategy"]))
        values = (entry[key] for key in ("address", "told", "tries", "answer", "code"))
        service.rows.append(ToldRow(*values))
    return list(services.values())


def _entries(task: Task, run: StageRun | None) -> list[dict[str, Any]]:
    if run is None:
        return []
    if run.finished_at is None:
        told = task.memo.get("told") if run.stage == task.step else None
        return list(told.values()) if isinstance(told, dict) else []
    values = ((run.failure or {}).get("message") or {}).get("values") or {}
    entries = (run.result or {}).get("services") or values.get("services")
    return entries if isinstance(entries, list) else []
