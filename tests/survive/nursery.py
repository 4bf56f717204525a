"""Processes that `tests.survive.zygote` forks, handled like any other process of a test."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bluegreen import die_with_parent
from tests.support.processes import ROOT, RunningProcess
from tests.support.waiting import wait_until


class Child:
    """What `RunningProcess` needs of a child, for one whose parent is the zygote."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._exit = log.with_name(f"{log.name}.exit")

    def poll(self) -> int | None:
        return int(self._exit.read_text()) if self._exit.exists() else None

    def wait(self, timeout: float = 10.0) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.01)
        return code


class Forked(RunningProcess):
    """A process that the zygote has forked."""

    def __init__(self, name: str, pid: int, log: Path) -> None:
        self.name = name
        self.log_path = log
        self._popen = Child(pid, log)  # type: ignore[assignment]


class Nursery:
    """A running zygote with its own environment, that of the test's processes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._zygote = subprocess.Popen(
            die_with_parent.wrap([sys.executable, "-m", "tests.survive.zygote"], signal.SIGKILL),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def fork(self, name: str, folder: Path, *command: str, lease_seconds: float = 0.0) -> Forked:
        """`manage.py COMMAND…`, its log in `folder`; `lease_seconds` 0: as in its environment."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{name}.log"
        log.touch()
        os.write(
            self._zygote.stdin.fileno(), json.dumps([str(log), lease_seconds, *command]).encode()
        )
        return Forked(name, int(self._zygote.stdout.readline()), log)

    def close(self) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        wait_until(lambda: self._zygote.poll() is not None, message="the zygote has ended")
