"""Run a command that the kernel ends when the process that started it ends, however that ended.

``python die_with_parent.py PARENT_PID SIGNAL COMMAND…`` arranges it and becomes the command, so it
keeps its process id. `wrap` builds that command line. The kernel counts the *thread* that started
the command as its parent: start it from a thread that lives as long as the process.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def wrap(command: Sequence[str], ending: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command line that runs `command` bound to the life of the calling process.

    On other systems than Linux the command runs unbound: they offer no such binding.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    # Isolated and without site-packages: it needs neither, and starts in milliseconds.
    trampoline = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    return [*trampoline, str(os.getpid()), str(int(ending)), *command]


def main(arguments: Sequence[str]) -> None:
    """Bind this process to its parent and become the command. Returns only when it cannot."""
    parent_pid, ending, *command = arguments
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
    # The parent may have died before the line above took effect.
    if os.getppid() != int(parent_pid):
        sys.exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
