"""`python -m tests.chaos.late_packets`: does a call that has failed take effect afterwards?

A machine calls the gateway; the way is cut, it calls again, gives up, and the way is healed. What
it sent meanwhile must not arrive any more. Exits with 77 where no network can be made.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from tests.chaos.network import EVERYWHERE, NOT_HERE, Network, NoNetwork
from tests.chaos.rig import SANDBOX_PORT
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

TENANT = "tenant-001"
TIMEOUT_SECONDS = 5.0
FORGET_SECONDS = 180.0
SOCKETS = Path("/proc/thread-self/net/tcp")
ESTABLISHED, SYN_SENT, FIN_WAIT_1 = "01", "02", "04"
"""States of a connection: open, being opened, and closed by us before all had arrived."""


def main() -> int:
    with ExitStack() as stack:
        try:
            network = Network("here", "there", "office")
        except NoNetwork as refused:
            print(f"No network can be made here: {refused}")
            return NOT_HERE
        stack.callback(network.close)
        stack.enter_context(network["office"].inside())
        here, there = network["here"], network["there"]
        with there.inside():
            sandbox = Sandbox(host=there.address, port=SANDBOX_PORT, tenants=1, redis_url="")
        stack.callback(sandbox.stop)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="bluegreen.settings",
            HTTP_TIMEOUT_SECONDS=str(TIMEOUT_SECONDS),
            GATEWAY_URL=sandbox.gateway_url,
        )
        # Their numbers are read when they are loaded.
        gateway, errors = import_module("plans.clients.gateway"), import_module("plans.errors")
        with here.inside():
            gateway.put_route(TENANT, "green", gateway.Call("1", fence=1))
            network.cut(here.subnet, EVERYWHERE)
            failure = None
            # The kernel may give up a moment before the call does, so a second pair of eyes looks
            # while the call still waits.
            with ThreadPoolExecutor(1) as beside:
                sent = beside.submit(wait_until, undelivered, message="it was sent")
                try:
                    gateway.put_route(TENANT, "blue", gateway.Call("2", fence=2))
                except errors.StageError as error:
                    failure = error
                sent.result()
            assert failure is not None, "the call was answered though the way was cut"
            network.heal(here.subnet, EVERYWHERE)
            wait_until(lambda: not undelivered(), FORGET_SECONDS, "the kernel has let go of it")
        put = [call["fence"] for call in sandbox.calls() if call["step"] == "gateway.put_route"]
        assert put == [1], f"the gateway was called with the fences {put}"
        assert sandbox.route(TENANT) == "green"
    return 0


def undelivered() -> list[str]:
    """Connections on which this machine has sent what has not arrived."""
    return [line for line in SOCKETS.read_text().splitlines()[1:] if _is_undelivered(*line.split())]


def _is_undelivered(_slot: str, _here: str, _there: str, state: str, queues: str, *_: str) -> bool:
    sent, _received = queues.split(":")
    return state in (ESTABLISHED, SYN_SENT, FIN_WAIT_1) and int(sent, 16) > 0


if __name__ == "__main__":
    sys.exit(main())
