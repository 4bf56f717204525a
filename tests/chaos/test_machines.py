"""A machine that is cut off loses nothing and hinders nobody, and works again once it is healed.

`make test` cuts it off from everything; `make chaos-machines` from each thing it needs.
"""

import os
import signal
import subprocess
import sys

import pytest

from bluegreen import die_with_parent
from tests.chaos.network import NOT_HERE
from tests.support.processes import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]

STOP_SECONDS = 60.0
CUTS = os.environ.get("CHAOS_MACHINES", "everything").split()


@pytest.mark.parametrize("lost", CUTS)
def test_a_machine_that_is_cut_off_loses_nothing_and_works_again_once_it_is_healed(
    lost: str,
) -> None:
    run("tests.chaos.machines", lost)


def test_a_call_that_was_given_up_takes_no_effect_when_the_way_is_healed() -> None:
    run("tests.chaos.late_packets")


def run(*module_and_arguments: str) -> None:
    """Run a program in a process, and so in a network, of its own."""
    process = subprocess.Popen(
        die_with_parent.wrap([sys.executable, "-m", *module_and_arguments], signal.SIGTERM),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        printed, _nothing = process.communicate()
    finally:
        stop(process)  # Ctrl-C, or the test's own time is over: it tidies up, too.
    if process.returncode == NOT_HERE:
        pytest.skip(printed.strip().splitlines()[-1])
    print(printed)
    assert process.returncode == 0


def stop(process: subprocess.Popen[str]) -> None:
    """SIGTERM where it still runs, and SIGKILL if it does not heed it in time."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
