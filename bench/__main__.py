"""`python -m bench [NAME…]`: run the named measurements, or all, and print their tables."""

import sys

from rich.console import Console

from bench import (
    acknowledgement,
    control_room,
    large_plan,
    live,
    peer,
    renewing,
    switching,
    takeover,
    waiting,
    wheel,
)

MEASUREMENTS = {
    "switching": switching.measure,
    "four_calls": switching.measure_four_calls,
    "peer": peer.measure,
    "takeover": takeover.measure,
    "waiting": waiting.measure,
    "live": live.measure,
    "large_plan": large_plan.measure,
    "control_room": control_room.measure,
    "acknowledgement": acknowledgement.measure,
    "renewing": renewing.measure,
    "wheel": wheel.measure,
}


def main(names: list[str]) -> int:
    """0, or 2 for a name that there is not."""
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        print(
            f"no such measurement: {', '.join(sorted(unknown))}; there are: "
            f"{', '.join(MEASUREMENTS)}",
            file=sys.stderr,
        )
        return 2
    console = Console(width=120)
    for name in names or MEASUREMENTS:
        console.print(MEASUREMENTS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
