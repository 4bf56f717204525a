"""The demo as a newcomer meets it: it runs through, and leaves nothing behind, however it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bluegreen.embedded_redis import EmbeddedRedis
from tests.support.environment import HOST
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
OWN = (
    "ALLOWED_ENDPOINT_NETWORKS",
    "DATABASE_URL",
    "GATEWAY_URL",
    "OB_SERVICE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "TENANT_REDIS_URL",
)

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]


class RunningDemo:
    """`python -m scripts.demo` in a folder of its own, with what it printed."""

    def __init__(self, folder: Path, port: int | str) -> None:
        self.folder = folder
        self._log = folder / "demo.log"
        environment = {name: value for name, value in os.environ.items() if name not in OWN}
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.demo"],
                cwd=ROOT,
                env={**environment, "VAR_DIR": str(folder), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, text: str, timeout_seconds: float = 400) -> None:
        wait_until(
            lambda: text in self.printed or self.process.poll() is not None,
            timeout_seconds,
            lambda: f"the demo prints {text!r}; it printed:\n{self.printed}",
        )
        assert text in self.printed, self.printed

    @property
    def redis_socket(self) -> Path:
        return EmbeddedRedis(self.folder / "demo" / "redis").socket_path

    def processes(self) -> list[str]:
        """The command lines of all processes that were started in the demo's environment.

        Redis is not among them: it writes its title over the environment it was given.
        """
        found = []
        mark = f"VAR_DIR={self.folder}".encode()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found += [line] if line else []
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    with socket.create_server((HOST, 0)) as busy:
        demo = RunningDemo(tmp_path, busy.getsockname()[1])
        yield demo
    demo.process.kill()
    demo.process.wait()


def test_it_switches_all_tenants_and_leaves_nothing_behind(demo: RunningDemo) -> None:
    demo.wait_for("stands ready")
    assert "“Demo switch” is COMPLETED" in demo.printed
    assert "60 of 60 tenants" in demo.printed
    for name in ("viewer", "operator", "approver", "admin"):
        assert f"  {name}  " in demo.printed
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(120) == 0
    assert demo.processes() == []
    assert not demo.redis_socket.exists()
    assert [entry.name for entry in demo.folder.iterdir()] == ["demo.log"]


def test_its_processes_end_with_it_even_when_it_is_killed(demo: RunningDemo) -> None:
    # The demo, the sandbox, the web server, two workers, the conductor, renewals.
    wait_until(lambda: len(demo.processes()) >= 7, 200, lambda: demo.printed)
    assert demo.redis_socket.exists()
    demo.process.kill()
    demo.process.wait()
    wait_until(lambda: demo.processes() == [], message="all processes of the demo end")
    wait_until(lambda: not demo.redis_socket.exists(), message="its Redis ends")


def test_it_stays_up_when_a_tenant_fails_and_prepares_what_can_be_prepared(
    demo: RunningDemo,
) -> None:
    demo.wait_for("The sandbox, with faults on demand")
    sandbox = re.findall("on demand: (http://.+)/", demo.printed)[0]
    fault = {"tenant": "tenant-020", "step": "gateway.put_route", "kind": "status", "code": 400}
    httpx.post(f"{sandbox}/control/faults", json=fault, timeout=60).raise_for_status()
    demo.wait_for("Ctrl-C ends everything")
    assert "“Demo switch” is FAILED" in demo.printed
    assert "1 failed" in demo.printed
    moved = re.findall(r"(\d+) completed", demo.printed)[0]
    assert f"“Back to blue” stands ready for {moved} tenants" in demo.printed
    assert demo.process.poll() is None


@pytest.mark.parametrize("port", ["abc", "99999"])
def test_a_port_that_is_none_is_refused_in_words_and_leaves_nothing(
    tmp_path: Path, port: str
) -> None:
    demo = RunningDemo(tmp_path, port)
    assert demo.process.wait(60) == 1
    said = f"PORT must be a whole number from 0 to 65535, and is '{port}'."
    assert demo.printed.strip() == said
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.log"]
