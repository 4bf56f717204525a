"""Real workers that die at named points: `… -m tests.survive.dying_workers FOLDER COUNT`.

They are forked from one process that has loaded everything, so that many of them start at once.
Each runs one task at a time, and so dies with that one. Ends when all of them have.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

import django

django.setup()

from bluegreen.die_with_parent import PR_SET_PDEATHSIG  # noqa: E402  Django comes first
from plans.engine import executor  # noqa: E402
from plans.engine import lease as leases  # noqa: E402
from plans.engine.worker import ThreadedWorker  # noqa: E402
from plans.pipelines import PIPELINES  # noqa: E402
from plans.stages import registry  # noqa: E402
from tests.survive.traps import Traps  # noqa: E402


def main(folder: str, count: str) -> None:
    for _ in range(int(count)):
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            work(Path(folder))
            os._exit(0)
    for _ in range(int(count)):
        os.wait()


def work(folder: Path) -> None:
    stages = [registry.get(name) for name in PIPELINES["BLUE_GREEN_SWITCH"]]
    Traps(folder).lay(stages)
    ThreadedWorker(executor.run, threads=1, on_heartbeat=leases.extend_all).work()


if __name__ == "__main__":
    main(*sys.argv[1:])
