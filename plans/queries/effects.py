"""The effects ledger as people and programs read it: the outgoing calls of a task (X6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from plans.models import StageRun

SHOWN_MAX = 100
"""Calls that a task's page shows, the latest ones; the API has them all."""

READING = ("GET", "HEAD", "HMGET")
"""Methods that change nothing."""


class Trace(StrEnum):
    """What the calls of a stage can have changed outside, by the ledger."""

    NOTHING = "nothing"
    """It only asked."""
    REFUSED = "refused"
    """Whatever would have changed something was refused."""
    PERHAPS = "perhaps"


@dataclass(frozen=True)
class Call:
    """One outgoing call of a stage run. `seconds` None: its answer was not waited for any more."""

    run: StageRun
    at: datetime | None
    service: str
    method: str
    address: str
    key: str
    fence: int | None
    status: int | None
    outcome: str
    code: str
    sent: int
    seconds: float | None

    @property
    def is_well(self) -> bool:
        return not self.code and self.seconds is not None and not self.outcome.startswith("REFUSED")

    @property
    def is_reading(self) -> bool:
        return self.method in READING

    @property
    def is_refused(self) -> bool:
        """Whether the other side said no, to a request that it got only once."""
        refused = self.status is not None and 400 <= self.status < 500
        return self.sent == 1 and (refused or self.outcome.startswith("REFUSED"))


@dataclass(frozen=True)
class Effects:
    """The calls of a task, oldest first, and what is known to be missing among them.

    `omitted` calls were counted and not kept. `lost` are stage runs of which a worker was lost
    before it could say what it had called; `open` whether one is under way, whose calls come
    with its end or its next wait.
    """

    calls: list[Call]
    made: int
    lost: list[StageRun]
    open: bool

    @property
    def omitted(self) -> int:
        return self.made - len(self.calls)

    @property
    def shown(self) -> list[Call]:
        """What a page shows, latest first."""
        return self.calls[: -SHOWN_MAX - 1 : -1]

    @property
    def hidden(self) -> int:
        """How many are kept and not among them."""
        return len(self.calls) - len(self.shown)

    @property
    def failed(self) -> int:
        return sum(not call.is_well for call in self.calls)

    @property
    def trace(self) -> Trace:
        """`PERHAPS` where the ledger does not say all."""
        if not self.calls or self.lost:
            return Trace.PERHAPS
        writes = [call for call in self.calls if not call.is_reading]
        if not writes:
            return Trace.NOTHING
        is_refused = not self.omitted and all(call.is_refused for call in writes)
        return Trace.REFUSED if is_refused else Trace.PERHAPS


def effects_of(runs: Iterable[StageRun]) -> Effects:
    """The ledger of one task, of its stage runs (oldest first)."""
    calls: list[Call] = []
    made, lost, is_open = 0, [], False
    for run in runs:
        stored = run.effects or {}
        made += stored.get("count", 0)
        calls += [_call(run, entry) for entry in stored.get("calls", ())]
        if stored.get("gaps"):
            lost.append(run)
        is_open = is_open or run.finished_at is None
    return Effects(calls, made, lost, is_open)


def _call(run: StageRun, entry: dict[str, Any]) -> Call:
    at, milliseconds = entry.get("at"), entry.get("ms")
    return Call(
        run=run,
        at=datetime.fromisoformat(at) if at else None,
        service=entry["service"],
        method=entry["method"],
        address=entry["address"],
        key=entry.get("key", ""),
        fence=entry.get("fence"),
        status=entry.get("status"),
        outcome=entry.get("outcome", ""),
        code=entry.get("code", ""),
        sent=entry.get("sent", 1),
        seconds=None if milliseconds is None else milliseconds / 1000,
    )
