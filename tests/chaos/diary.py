"""What was done to the installation and when, told as it happens."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Diary:
    """`crashes` counts what may have cut a stage off between its effect and its commit."""

    tells: bool = True
    crashes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    killed_at: dict[int, float] = field(default_factory=dict)
    """When each worker was killed or frozen, in seconds since 1970, by its process id."""
    lines: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, what: str) -> None:
        """One line, with the seconds since the beginning."""
        with self._lock:
            line = f"[{time.monotonic() - self._began:6.1f} s] {what}"
            self.lines.append(line)
            if self.tells:
                print(line, flush=True)

    def crash(self, times: int = 1) -> None:
        with self._lock:
            self.crashes += times

    def fault(self, name: str) -> None:
        with self._lock:
            self.faults[name] += 1

    def act(self, outcome: str) -> None:
        """An operator did or was refused something."""
        with self._lock:
            self.actions[outcome] += 1

    def lost(self, pid: int) -> None:
        """A worker with this process id was killed or frozen right now."""
        with self._lock:
            self.killed_at[pid] = time.time()

    def keep(self, path: Path) -> None:
        path.write_text("\n".join(self.lines) + "\n")
