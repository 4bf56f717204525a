"""`python -m tests.chaos`: break everything while plans run, and say whether anything was lost.

CHAOS_DATABASE (sqlite or postgresql), CHAOS_SECONDS (how long things are broken), CHAOS_SEED
(random without one), CHAOS_TENANTS. Exits with 1 where an invariant does not hold.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from tests.chaos.database import Database, Postgres, Sqlite
from tests.chaos.diary import Diary
from tests.chaos.installation import LEASE_SECONDS, Installation, Scale
from tests.chaos.operators import Operators
from tests.support.environment import World

WORLD_SECONDS = 0.4
"""How long each of the services around takes at least."""
IN_PRIVATE = "CHAOS_HAS_PRIVATE_MOUNTS"
LOGS_KEPT = Path(tempfile.gettempdir()) / "bluegreen-chaos-logs"


def main() -> int:
    seconds = float(os.environ.get("CHAOS_SECONDS") or 80)
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    scale = Scale(tenants=int(os.environ.get("CHAOS_TENANTS") or 40))
    name = os.environ.get("CHAOS_DATABASE") or "sqlite"
    diary = Diary()
    diary.tell(f"CHAOS_DATABASE={name} CHAOS_SEED={seed} CHAOS_SECONDS={seconds:g}")
    with installation(name, scale) as site, ExitStack() as stack:
        # Only now the settings can be read.
        from tests.chaos import people, run  # noqa: PLC0415

        token, cookie = people.make()
        site.start()
        tenants = [f"tenant-{number:03}" for number in range(1, scale.tenants + 1)]
        chance = run.random.Random(f"{seed} operators")
        operators = Operators(site.url, token, tenants, chance, diary)
        stack.callback(operators.close)
        first = operators.create_and_start(tenants[:10], maxConcurrency=4, failurePolicy="continue")
        assert first is not None, "the first plan could not be made"
        pages, wait = stack.enter_context(people.watching(site.url, cookie, first))
        # So that there is always something in the middle of which a process can die.
        for step in ("ob.get_tenant", "gateway.put_route", "ob.put_status"):
            site.sandbox.add_fault("*", step, "latency", seconds=WORLD_SECONDS)
        chaos = run.Run(site, operators, diary, seed)
        chaos.break_for(seconds, wait)
        chaos.come_to_rest()
        report = chaos.report(pages)
        print(f"\nLease {LEASE_SECONDS:g} s, seed {seed}, {name}:\n{report}", flush=True)
        if not report.holds:
            shutil.rmtree(LOGS_KEPT, ignore_errors=True)
            shutil.copytree(site.folder / "log", LOGS_KEPT)
            print(f"The logs are in {LOGS_KEPT}.")
    return 0 if report.holds else 1


@contextmanager
def installation(name: str, scale: Scale) -> Iterator[Installation]:
    """An installation in a folder of its own, and Django in this process set up for it."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bluegreen-chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database: Database = Sqlite(folder) if name == "sqlite" else Postgres()
        stack.callback(database.close)
        world = World(folder, None)  # type: ignore[arg-type]
        site = Installation(folder, database, scale, world.reserve_port)
        stack.callback(site.stop)
        redis = site.redis.url
        direct = {"REDIS_URL": f"{redis}?db=0", "TENANT_REDIS_URL": f"{redis}?db=1"}
        os.environ.update({**site.environment, **direct, "DATABASE_URL": database.url})
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # The browser has a loop in this thread.
        os.environ["LOG_LEVEL"] = "ERROR"
        django.setup()
        call_command("migrate", verbosity=0)
        site.sandbox.enforce_fences()
        yield site


if __name__ == "__main__":
    # A disk of our own is mounted where nobody else sees it, and goes with this process.
    if os.geteuid() == 0 and not os.environ.get(IN_PRIVATE) and shutil.which("unshare"):
        os.environ[IN_PRIVATE] = "yes"
        words = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            sys.executable,
            "-m",
            "tests.chaos",
        ]
        os.execvp("unshare", words)
    sys.exit(main())
