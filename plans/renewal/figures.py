"""What a renewal process counts."""

import threading
import time
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0


@dataclass
class Tally:
    """What became of the keys of some rounds."""

    renewed: int = 0
    failed: int = 0
    skipped: int = 0
    """Gone, without TTL, or living that long already."""
    late: int = 0

    def add(self, other: "Tally") -> None:
        self.renewed += other.renewed
        self.failed += other.failed
        self.skipped += other.skipped
        self.late += other.late


@dataclass
class Figures:
    """All of a process; used by its threads together."""

    total: Tally = field(default_factory=Tally)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _worst_ms: float = 0.0
    _worst_before_ms: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def note(self, tally: Tally, late_ms: float) -> None:
        """Add what became of a batch, and how long after it was due its reply came."""
        with self._lock:
            self.total.add(tally)
            self._turn()
            self._worst_ms = max(self._worst_ms, late_ms)

    def worst_ms(self) -> int:
        """The worst lateness of the last one or two minutes."""
        with self._lock:
            self._turn()
            return round(max(self._worst_ms, self._worst_before_ms))

    def copy(self) -> Tally:
        with self._lock:
            return Tally(**vars(self.total))

    def begin_anew(self) -> None:
        """What was counted stands in the database, with the session that is over."""
        with self._lock:
            self.total = Tally()

    def _turn(self) -> None:
        now = time.monotonic()
        windows = (now - self._since) // WINDOW_SECONDS
        if windows:
            self._worst_before_ms = self._worst_ms if windows == 1 else 0.0
            self._worst_ms = 0.0
            self._since = now
