"""`python -m tests.chaos.machines CUT`: several machines, of which one is cut off while plans run.

CUT is what it cannot reach: `everything`, `redis` or `database`. The machines are network
namespaces; exits with 77 and the reason where these cannot be made.
"""

import signal
import sys
from importlib import import_module
from types import FrameType

from tests.chaos.network import NOT_HERE, NoNetwork
from tests.chaos.rig import rig


def main(cut: str) -> int:
    signal.signal(signal.SIGTERM, leave)
    try:
        with rig() as made:
            try:
                # Its settings are those of the rig, so it cannot be loaded before.
                import_module("tests.chaos.cuts").run(cut, made)
            except BaseException:
                print(made.logs())
                raise
    except NoNetwork as refused:
        print(f"No network can be made here: {refused}")
        return NOT_HERE
    return 0


def leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
