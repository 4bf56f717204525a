"""One round of questions to 200 instances, some of which are slow or hang; the stub plays them.

As a program (`python -m bench.acknowledgement PORT`) it asks, inside an installation; prints JSON.
"""

import json
import sys
import time

import django
from rich.table import Table

from bench.installation import Installation
from bench.stub import SLOW_SECONDS

INSTANCES = 200
TIMEOUT_SECONDS = 2.0
ROUNDS = 5
CASES = {
    "all answer at once": (0, 0),
    "3 are slow": (3, 0),
    "3 are slow, 1 hangs": (3, 1),
    "100 are slow, 50 hang": (100, 50),
}
"""How many are slow, and how many hang."""


def measure() -> Table:
    """The time of a round beside the slowest allowed answer and beside the sum of all."""
    with Installation() as place:
        found = json.loads(place.run("-m", "bench.acknowledgement", str(place.port)))
    title = f"{INSTANCES} instances; slow: {SLOW_SECONDS} s; allowed: {TIMEOUT_SECONDS} s"
    table = Table(title=title)
    table.add_column("instances")
    for column in ("round s", "worst round s", "slowest allowed s", "sum s", "confirmed"):
        table.add_column(column, justify="right")
    for name, (slow, hanging) in CASES.items():
        seconds, confirmed = sorted(found[name]["seconds"]), found[name]["confirmed"]
        allowed = TIMEOUT_SECONDS if hanging else SLOW_SECONDS if slow else 0.0
        total = slow * SLOW_SECONDS + hanging * TIMEOUT_SECONDS
        table.add_row(
            name,
            f"{seconds[len(seconds) // 2]:.2f}",
            f"{seconds[-1]:.2f}",
            f"{allowed:.1f}",
            f"{total:.0f}",
            f"{confirmed} of {INSTANCES}",
        )
    return table


def ask(port: int) -> dict[str, dict[str, object]]:
    """Ask everybody, `ROUNDS` times for each case; every round from the beginning."""
    from plans.ack import Poll, Question  # noqa: PLC0415 - Django must be set up before

    question = Question(timeout_seconds=TIMEOUT_SECONDS)
    found: dict[str, dict[str, object]] = {}
    for name, (slow, hanging) in CASES.items():
        kinds = ["slow"] * slow + ["hanging"] * hanging
        kinds += ["well"] * (INSTANCES - len(kinds))
        endpoints = [f"http://127.0.0.1:{port}/i/{kind}/{n}" for n, kind in enumerate(kinds)]
        seconds = []
        for _ in range(ROUNDS):
            poll = Poll.of(endpoints, "20")
            began = time.monotonic()
            poll.ask(question.ask, timeout_seconds=TIMEOUT_SECONDS)
            seconds.append(time.monotonic() - began)
        found[name] = {"seconds": seconds, "confirmed": poll.confirmed}
    return found


if __name__ == "__main__":
    django.setup()
    print(json.dumps(ask(int(sys.argv[1]))))
