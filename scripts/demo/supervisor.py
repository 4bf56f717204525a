"""Starts the demo's processes, keeps them up, and stops every one of them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bluegreen import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 6.0
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 15
RESTARTS_MAX = 5
"""So often may one process die before the demo gives up on it."""


class DemoError(Exception):
    """The demo cannot go on; the message says why and where to look."""


@dataclass
class Child:
    """One process that shall run as long as the demo."""

    name: str
    command: list[str]
    log_path: Path
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_tail(self) -> str:
        """The last lines that it printed, indented."""
        lines = self.log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)

    def signal(self, number: signal.Signals) -> None:
        """To the whole group of the process: what it started goes with it."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """The processes of one demo. To be used from the main thread: they live as long as it does."""

    def __init__(self, environment: dict[str, str], log_folder: Path) -> None:
        self._environment = environment
        self._log_folder = log_folder
        self._children: list[Child] = []

    def run(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run Python with `arguments` to its end; what it printed. Raises DemoError if it fails."""
        log = self._log_folder / f"{name}.log"
        with log.open("wb") as errors:
            process = subprocess.run(
                die_with_parent.wrap([sys.executable, *arguments], signal.SIGKILL),
                cwd=ROOT,
                env=self._environment,
                input=stdin.encode(),
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                check=False,
            )
        if process.returncode != 0:
            raise DemoError(f"{name} failed:\n{Child(name, [], log).log_tail()}")
        return process.stdout.decode()

    def start(self, name: str, *arguments: str) -> Child:
        """Start Python with `arguments` and keep it up."""
        command = die_with_parent.wrap([sys.executable, *arguments], signal.SIGKILL)
        child = Child(name, command, self._log_folder / f"{name}.log")
        self._children.append(child)
        self._launch(child)
        return child

    def look_after(self) -> list[str]:
        """Start again whoever died; a text for each. Raises DemoError for one that dies often."""
        reports = []
        for child in self._children:
            if child.is_running:
                continue
            child.deaths += 1
            ending = f"{child.name} ended unexpectedly; its last lines:\n{child.log_tail()}"
            if child.deaths > RESTARTS_MAX:
                raise DemoError(f"{ending}\nIt did so {child.deaths} times. Log: {child.log_path}")
            self._launch(child)
            reports.append(f"{ending}\n{child.name} runs again.")
        return reports

    def stop(self) -> None:
        """SIGTERM to all, a bounded wait, SIGKILL to the rest. Never raises."""
        for child in reversed(self._children):
            if child.is_running:
                child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.is_running for child in self._children) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for child in self._children:
            # Also to the group of one that ended: it may have left something behind.
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()

    def _launch(self, child: Child) -> None:
        with child.log_path.open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal is for the demo, which stops them in order.
                start_new_session=True,
            )
