"""Processes of Bluegreen that start at once: forks of this one, which has loaded everything."""

import os
import subprocess
import time
from pathlib import Path

from django.db import connections

from tests.chaos.network import Machine
from tests.support.processes import RunningProcess
from tests.support.waiting import POLL_SECONDS
from tests.survive import zygote


class Child:
    """What `RunningProcess` needs of a process, for a child that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float = 10.0) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(POLL_SECONDS)
        return code


class Fork(RunningProcess):
    """`manage.py COMMAND…` on a machine. Call it while this process has one thread."""

    def __init__(self, name: str, machine: Machine, log: Path, *command: str) -> None:
        self.name = name
        self.log_path = log
        log.touch()
        connections.close_all()  # Two processes on one connection understand nothing.
        pid = os.fork()
        if pid == 0:
            os.setsid()  # Ctrl-C is for who started us.
            with machine.inside():
                zygote.run(str(log), list(command))
        self._popen = Child(pid)  # type: ignore[assignment]
