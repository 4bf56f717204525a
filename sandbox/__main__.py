"""`python -m sandbox`: the command line."""

import argparse
import logging
import os
import signal
import sys
from types import FrameType

from sandbox.config_watch import ConfigWatch
from sandbox.server import base_url, listen, run
from sandbox.tenants import COLORS, Fleet
from sandbox.world import World


def parse_options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Play OB service, gateway and tenants' instances on one port.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free port")
    parser.add_argument("--tenants", type=int, default=60)
    parser.add_argument("--instances", type=int, default=3, help="per tenant")
    parser.add_argument("--start", choices=COLORS, default="blue", help="where tenants begin")
    parser.add_argument(
        "--redis-url",
        default=os.environ.get("TENANT_REDIS_URL") or os.environ.get("REDIS_URL"),
        help="where instances read configuration (default: TENANT_REDIS_URL, then REDIS_URL)",
    )
    parser.add_argument("--config-poll-seconds", type=float, default=2.0)
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="warning"
    )
    return parser.parse_args(arguments)


def stop(number: int, frame: FrameType | None) -> None:
    """uvicorn raises the signal that ended it again: by then all is done, and done well."""
    sys.exit(0)


def main() -> int:
    options = parse_options(sys.argv[1:])
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logging.basicConfig(level=options.log_level.upper())
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(
            f"Cannot listen on {options.host}:{options.port}: {error.strerror}. "
            "Choose another --port; 0 takes a free one.",
            file=sys.stderr,
        )
        return 1
    fleet = Fleet(base_url(listener))
    world = World(fleet, options.tenants, options.instances, options.start)
    if options.redis_url:
        world.watch = ConfigWatch(
            options.redis_url, fleet, world.faults, options.config_poll_seconds
        )
    else:
        logging.getLogger("sandbox").warning(
            "No Redis address (--redis-url): instances will not take up new configuration."
        )
    world.fill(options.tenants, options.instances, options.start)
    run(world, listener, options.log_level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
