"""The effects ledger (X6): every outgoing call of a stage run, noted in memory while it runs.

Whoever calls out says so with `noting`; `collecting` names the ledger that keeps it. The engine
stores a ledger with its stage run's row, which is written anyway. Outside a stage run nothing is
kept. Neither payloads nor headers come here.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plans import conf
from plans.canonical import storable_text
from plans.errors import BluegreenError, StageError

REDIS = "REDIS"
"""The service of calls to the tenants' Redis."""


@dataclass(slots=True, eq=False)
class Effect:
    """One call. `status` is HTTP's; `outcome` is what became of one that is not HTTP.

    `milliseconds` None: it was under way when the stage had stopped waiting for it.
    """

    service: str
    method: str
    address: str
    key: str = ""
    fence: int | None = None
    at: str = ""
    status: int | None = None
    outcome: str = ""
    code: str = ""
    sent: int = 1
    milliseconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored: what is empty is left out."""
        fields: dict[str, Any] = {
            "at": self.at,
            "service": self.service,
            "method": self.method,
            "address": self.address,
            "key": self.key,
            "fence": self.fence,
            "status": self.status,
            "outcome": self.outcome,
            "code": self.code,
            "sent": self.sent if self.sent > 1 else None,
            "ms": self.milliseconds,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}


class Ledger:
    """The calls of one stage run: the first and the last ones, and how many there were.

    `stored` is what `as_json` gave when the run was parked. Several threads may add to it.
    """

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        stored = stored or {}
        kept: list[Any] = stored.get("calls", [])
        self._first = kept[: conf.EFFECTS_FIRST]
        self._last = deque(kept[conf.EFFECTS_FIRST :], conf.EFFECTS_LAST)
        self._count: int = stored.get("count", 0)
        self._gaps: int = stored.get("gaps", 0)
        self._lock = threading.Lock()

    def add(self, effect: Effect) -> None:
        """Keep a call that begins now."""
        with self._lock:
            self._count += 1
            (self._first if len(self._first) < conf.EFFECTS_FIRST else self._last).append(effect)

    def add_gap(self) -> None:
        """A worker was lost before it could say what it had called."""
        self._gaps += 1

    def as_json(self) -> dict[str, Any] | None:
        """`{"count", "calls": […], "gaps"}`; None where there is nothing to say."""
        with self._lock:
            kept = [*self._first, *self._last]
        if not kept and not self._gaps:
            return None
        calls = [each.as_json() if isinstance(each, Effect) else each for each in kept]
        gaps = {"gaps": self._gaps} if self._gaps else {}
        return {"count": self._count, "calls": calls, **gaps}


_current: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


@contextmanager
def collecting(ledger: Ledger) -> Iterator[None]:
    """Have `ledger` keep what is called meanwhile, here and in threads that copy the context."""
    token = _current.set(ledger)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def noting(
    service: str, method: str, address: str, *, key: str = "", fence: int | None = None
) -> Iterator[Effect]:
    """Note one call for the ledger that collects now, if one does.

    `address` must be fit to be shown. The caller fills in `status` or `outcome`; an error gives
    its `code` and comes through.
    """
    began = time.monotonic()
    effect = Effect(
        service, method, storable_text(address)[: conf.EFFECT_ADDRESS_CHARS], key, fence
    )
    ledger = _current.get()
    if ledger is not None:
        effect.at = datetime.now(UTC).isoformat(timespec="milliseconds")
        ledger.add(effect)
    try:
        yield effect
    except BluegreenError as error:
        effect.code = error.code
        raise
    except Exception:
        effect.code = StageError.code
        raise
    finally:
        effect.milliseconds = round((time.monotonic() - began) * 1000, 1)
