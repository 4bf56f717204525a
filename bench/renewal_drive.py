"""What a measurement of renewals does inside an installation; prints JSON.

`python -m bench.renewal_drive begin KEYS TTL INTERVAL` sets keys and registers their renewal,
`figures` says what the processes counted, `bare KEYS SECONDS` runs pipelined `EXPIRE`s and
nothing else, with the same client and in batches of the same size.
"""

import json
import sys
import time

import django

django.setup()

from django.conf import settings  # noqa: E402
from redis import Redis  # noqa: E402

from plans import conf  # noqa: E402
from plans.models import RenewalProcess  # noqa: E402
from plans.renewal import links, rows  # noqa: E402


def names(count: int) -> list[str]:
    """Names of keys as tenants' are."""
    return [f"bg:config:tenant-{number:07}" for number in range(count)]


def fill(client: Redis, keys: list[str], ttl: float) -> None:
    for start in range(0, len(keys), 1000):
        with client.pipeline(transaction=False) as pipeline:
            for key in keys[start : start + 1000]:
                pipeline.set(key, "1", px=round(ttl * 1000))
            pipeline.execute()


def begin(count: str, ttl: str, interval: str) -> dict[str, float]:
    keys = names(int(count))
    fill(links.connect(settings.REDIS_URL), keys, float(ttl))
    rows.register(
        "bench",
        {
            "selector": {"kind": "list", "keys": keys},
            "ttl": {"kind": "fixed", "seconds": float(ttl)},
            "interval": {"kind": "fixed", "seconds": float(interval)},
        },
    )
    return {}


def figures() -> dict[str, float]:
    process = RenewalProcess.objects.filter(ended_at__isnull=True).first()
    if process is None:
        return {}
    shown = ("keys", "due", "renewed", "failed", "skipped", "late", "worst_ms")
    found = {name: getattr(process, name) for name in shown}
    return {**found, "seen": process.seen_at.timestamp()}


def bare(count: str, seconds: str) -> dict[str, float]:
    keys = names(int(count))
    client = links.connect(settings.REDIS_URL)
    fill(client, keys, 600)
    size, done = conf.RENEWAL_BATCH_KEYS, 0
    began = time.monotonic()
    while time.monotonic() - began < float(seconds):
        start = done % len(keys)
        with client.pipeline(transaction=False) as pipeline:
            for key in keys[start : start + size]:
                pipeline.expire(key, 60)
            pipeline.execute()
        done += size
    return {"rate": done / (time.monotonic() - began)}


if __name__ == "__main__":
    commands = {"begin": begin, "figures": figures, "bare": bare}
    print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
