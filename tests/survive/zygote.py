"""Forks workers, conductors and renewals: `… -m tests.survive.zygote`; they start in milliseconds.

A line of standard input is `[LOG, LEASE_SECONDS, COMMAND…]` in JSON, its answer the process id of
a child that runs `manage.py COMMAND…` with its output in LOG. LEASE_SECONDS 0 are those of the
environment. LOG.exit holds its exit code once it has ended.
"""

import ctypes
import json
import os
import select
import signal
import sys
from contextlib import suppress

import django

django.setup()

from django.core.management import call_command  # noqa: E402  Django comes first

from bluegreen.die_with_parent import PR_SET_PDEATHSIG  # noqa: E402
from plans import conf  # noqa: E402
from plans.management.commands import conductor, renewals, worker  # noqa: E402, F401  load all before

REAP_SECONDS = 0.02


def main() -> None:
    logs: dict[int, str] = {}
    while True:
        if select.select([0], [], [], REAP_SECONDS)[0]:
            line = os.read(0, 65536)
            if not line:
                return
            log, lease_seconds, *command = json.loads(line)
            pid = os.fork()
            if pid == 0:
                conf.LEASE_SECONDS = lease_seconds or conf.LEASE_SECONDS
                run(log, command)
            logs[pid] = log
            os.write(1, f"{pid}\n".encode())
        reap(logs)


def reap(logs: dict[int, str]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            path = f"{logs.pop(pid)}.exit"
            with open(f"{path}.new", "w") as file:
                file.write(str(os.waitstatus_to_exitcode(status)))
            os.rename(f"{path}.new", path)


def run(log: str, command: list[str]) -> None:
    """Become the command; never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        call_command(*command)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
