"""The process says when it is ready, refuses a busy port, stops at once, dies with its parent."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.sandbox import ROOT, Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes

PARENT = textwrap.dedent(
    """
    import sys
    from tests.support.sandbox import Sandbox
    print(Sandbox(tenants=1).pid, flush=True)
    sys.stdin.readline()
    """
)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Where nobody reaps orphans a dead one stays behind as a zombie.
    return state != "Z"


def test_a_busy_port_is_refused_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        command = [sys.executable, "-m", "sandbox", "--port", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert ended.stdout == ""


def test_it_stops_at_once_and_quietly_though_calls_hang(
    capfd: pytest.CaptureFixture[str],
) -> None:
    sandbox = Sandbox(tenants=1)
    sandbox.add_fault("*", "ob.list", "hang")
    sandbox.add_fault("*", "ob.get_tenant", "latency", seconds=600)
    ends: list[str] = []

    def call(path: str) -> None:
        try:
            httpx.get(f"{sandbox.ob_url}{path}", trust_env=False, timeout=200)
        except httpx.TransportError as error:
            ends.append(type(error).__name__)

    callers = [
        threading.Thread(target=call, args=(path,)) for path in ("/tenants", "/tenants/tenant-001")
    ]
    for caller in callers:
        caller.start()
    wait_until(lambda: len(sandbox.calls()) == 2)
    os.kill(sandbox.pid, signal.SIGTERM)
    wait_until(lambda: sandbox.exit_code is not None)
    for caller in callers:
        caller.join()
    sandbox.stop()
    assert sandbox.exit_code == 0
    assert len(ends) == 2
    assert "Traceback" not in capfd.readouterr().err


def test_it_dies_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    wait_until(lambda: not is_running(pid))
