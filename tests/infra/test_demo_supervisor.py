"""The demo's processes: kept up, and every one of them stopped in the end."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.demo import supervisor as module
from scripts.demo.supervisor import Child, DemoError, Supervisor
from tests.support.waiting import wait_until

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
FAMILY = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(f'child {child.pid} ', flush=True); time.sleep(600)"
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(dict(os.environ), tmp_path)
    yield supervisor
    supervisor.stop()


def started(child: Child) -> Child:
    wait_until(lambda: "up" in child.log_path.read_text(), message=f"{child.name} is up")
    return child


def test_one_that_was_killed_runs_again_and_its_end_is_told(supervisor: Supervisor) -> None:
    child = started(supervisor.start("sleeper", "-c", SLEEPER))
    assert supervisor.look_after() == []
    child.signal(signal.SIGKILL)
    wait_until(lambda: not child.is_running)
    (report,) = supervisor.look_after()
    assert "sleeper ended unexpectedly" in report
    assert "up" in report
    assert child.is_running


def test_one_that_dies_again_and_again_ends_the_demo_with_its_last_words(
    supervisor: Supervisor,
) -> None:
    child = supervisor.start("broken", "-c", "raise SystemExit('no such planet')")

    def look_after_forever() -> None:
        while True:
            wait_until(lambda: not child.is_running)
            supervisor.look_after()

    with pytest.raises(DemoError, match="no such planet"):
        look_after_forever()


def test_one_that_does_not_heed_sigterm_is_killed_in_bounded_time(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.5)
    child = started(supervisor.start("stubborn", "-c", STUBBORN))
    begin = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begin < 60
    assert not child.is_running


def test_what_a_process_started_ends_with_it(supervisor: Supervisor) -> None:
    family = supervisor.start("family", "-c", FAMILY)
    wait_until(lambda: "child" in family.log_path.read_text())
    pid = int(family.log_path.read_text().split()[1])
    supervisor.stop()
    wait_until(lambda: has_ended(pid), message="the grandchild ends")


def test_a_command_that_fails_says_why(supervisor: Supervisor) -> None:
    with pytest.raises(DemoError, match="the moon is made of cheese"):
        supervisor.run("fails", "-c", "raise SystemExit('the moon is made of cheese')")


def test_a_command_gets_its_input_and_its_output_is_returned(supervisor: Supervisor) -> None:
    assert supervisor.run("echo", "-c", "print(input())", stdin="hello") == "hello\n"


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # The latter while it is being read.
        return True
