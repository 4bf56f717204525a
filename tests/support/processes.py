"""Real processes of the system under test: workers, conductors, web servers."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bluegreen import die_with_parent
from tests.support.environment import HOST
from tests.support.waiting import WAIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 10.0
"""Then whoever does not heed a SIGTERM is killed; it is no failure."""
START_SECONDS = 120.0
LOG_TAIL_BYTES = 8000


class RunningProcess:
    """One child process, with what it printed."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.log_path = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                die_with_parent.wrap(command, signal.SIGKILL),
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._popen.poll()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: it gets no chance to tidy up."""
        self._signal(signal.SIGKILL)
        self.wait()

    def freeze(self) -> None:
        """SIGSTOP: it stands still until `thaw`, and does not know it."""
        self._signal(signal.SIGSTOP)
        # Its threads go on until the one that is told of the signal has had its turn.
        wait_until(
            lambda: not self.is_running or self._stands_still(),
            message=f"{self.name} stands still",
        )

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self._signal(signal.SIGTERM)

    def wait(self, timeout_seconds: float = WAIT_SECONDS) -> int:
        """The exit code, once it ended. Raises subprocess.TimeoutExpired."""
        return self._popen.wait(timeout_seconds)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for the one that does not heed it in time. Never raises."""
        # A frozen one would heed nothing.
        self.thaw()
        self.terminate()
        try:
            self.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_for_log(self, text: str, timeout_seconds: float = START_SECONDS) -> None:
        """Wait until it has printed `text`."""
        wait_until(
            lambda: text in self.log or not self.is_running,
            timeout_seconds,
            lambda: f"{self.name} prints {text!r}; it printed:\n{self.log[-LOG_TAIL_BYTES:]}",
        )
        assert text in self.log, f"{self.name} ended:\n{self.log[-LOG_TAIL_BYTES:]}"

    def _stands_still(self) -> bool:
        threads = Path(f"/proc/{self.pid}/task")
        try:
            stats = [(each / "stat").read_text() for each in threads.iterdir()]
        except OSError:  # One of them has just ended.
            return False
        return all(stat.rpartition(")")[2].split()[0] in "TXZ" for stat in stats)

    def _signal(self, number: signal.Signals) -> None:
        # One that others reap may be gone by now, though its end is not told yet.
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class WebProcess(RunningProcess):
    """A running daphne."""

    def __init__(
        self, name: str, command: list[str], env: dict[str, str], log: Path, port: int
    ) -> None:
        self.port = port
        super().__init__(name, command, env, log)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def wait_until_ready(self) -> None:
        """Wait until it takes connections."""
        wait_until(
            lambda: self._connects() or not self.is_running,
            START_SECONDS,
            lambda: f"{self.name} listens; it printed:\n{self.log[-LOG_TAIL_BYTES:]}",
        )
        assert self.is_running, f"{self.name} ended:\n{self.log[-LOG_TAIL_BYTES:]}"

    def _connects(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=10).close()
        except OSError:
            return False
        return True


class Processes:
    """Starts processes against this test's database, Redis and sandbox, and stops them all.

    `environment` is theirs; keyword arguments of the starters add to it, as `LEASE_SECONDS="1"`.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], reserve_port: Callable[[], int]
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._reserve_port = reserve_port
        self._started: list[RunningProcess] = []

    def worker(self, **environment: str) -> RunningProcess:
        """`manage.py worker`."""
        return self.manage("worker", **environment)

    def conductor(self, **environment: str) -> RunningProcess:
        """`manage.py conductor`."""
        return self.manage("conductor", **environment)

    def web(self, port: int = 0, **environment: str) -> WebProcess:
        """daphne on a free port of the loopback; it takes connections when this returns.

        `port` is for one that comes back where another one was.
        """
        port = port or self._reserve_port()
        daphne = [sys.executable, "-m", "daphne", "-b", HOST, "-p", str(port)]
        name, env, log = self._prepare("web", environment)
        process = WebProcess(name, [*daphne, "bluegreen.asgi:application"], env, log, port)
        self._started.append(process)
        process.wait_until_ready()
        return process

    def manage(self, *arguments: str, **environment: str) -> RunningProcess:
        """`manage.py ARGUMENTS…` in the background."""
        name, env, log = self._prepare(arguments[0], environment)
        process = RunningProcess(name, [sys.executable, "manage.py", *arguments], env, log)
        self._started.append(process)
        return process

    def module(self, module: str, *arguments: str, **environment: str) -> RunningProcess:
        """`python -m MODULE ARGUMENTS…` in the background."""
        name, env, log = self._prepare(module.rpartition(".")[2], environment)
        process = RunningProcess(name, [sys.executable, "-m", module, *arguments], env, log)
        self._started.append(process)
        return process

    def logs(self) -> list[tuple[str, str]]:
        """The name and the end of the log of every process that was started."""
        return [(process.name, process.log[-LOG_TAIL_BYTES:]) for process in self._started]

    def stop(self) -> None:
        """Stop whatever still runs."""
        for process in self._started:
            # All at once first: they stop side by side.
            process.thaw()
            process.terminate()
        for process in self._started:
            process.stop()

    def _prepare(self, name: str, extra: dict[str, str]) -> tuple[str, dict[str, str], Path]:
        name = f"{name}-{len(self._started) + 1}"
        self._folder.mkdir(parents=True, exist_ok=True)
        return name, {**self._environment, **extra}, self._folder / f"{name}.log"
