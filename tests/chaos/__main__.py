"""`python -m tests.chaos [WORD]`: break everything while plans run, and say whether it was lost.

`all` (the default): every fault in random order for CHAOS_SECONDS, with operators and open pages.
`kills`: CHAOS_KILLS kills over plans of 500 tenants. `pace`: how much longer a plan takes with a
fault every five seconds. `endurance`: CHAOS_TASKS tasks, and the memory of each process.

CHAOS_DATABASE is sqlite or postgresql; CHAOS_SEED makes the same choices again; with CHAOS_LOGS the
logs are kept though all holds. Exits with 1 where something does not.
"""

import faulthandler
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import django
from django.core.management import call_command

from bluegreen.embedded_redis import EmbeddedRedis
from scripts import private_postgres
from tests.chaos.database import Database, Postgres, Sqlite
from tests.chaos.diary import Diary
from tests.chaos.installation import Installation, Scale
from tests.support.environment import World

SCALES = {
    "all": Scale(),
    "kills": Scale(tenants=500, instances=1, workers=3, webs=1),
    "pace": Scale(tenants=300, instances=1, threads=12, webs=1),
    "endurance": Scale(tenants=1000, instances=1, threads=16, webs=1, is_direct=True),
}
IN_PRIVATE = "CHAOS_HAS_PRIVATE_MOUNTS"
LOGS_KEPT = Path(tempfile.gettempdir()) / "bluegreen-chaos-logs"


def main(what: str) -> int:
    """0 where everything holds, 1 where something does not, 2 for a word that is none."""
    if what not in SCALES:
        print(__doc__, file=sys.stderr)
        return 2
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    name = os.environ.get("CHAOS_DATABASE") or "sqlite"
    if name == "postgresql" and private_postgres.find_programs() is None:
        print("Without PostgreSQL on this machine there is nothing to break: not run.")
        return 0
    print(f"CHAOS_DATABASE={name} CHAOS_SEED={seed} python -m tests.chaos {what}", flush=True)
    with installation(name, SCALES[what]) as site:
        # Only now the settings can be read.
        from tests.chaos import courses  # noqa: PLC0415

        report = courses.COURSES[what](site, Diary(), seed)
        print(f"\n{report}", flush=True)
        if not report.holds or os.environ.get("CHAOS_LOGS"):
            kept = LOGS_KEPT / f"{name}-{seed}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(site.folder / "log", kept)
            print(f"The logs are in {kept}.")
    return 0 if report.holds else 1


@contextmanager
def installation(name: str, scale: Scale) -> Iterator[Installation]:
    """An installation in a folder of its own, and Django in this process set up for it."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bluegreen-chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database: Database = (
            Sqlite(folder, is_roomy=scale.is_direct) if name == "sqlite" else Postgres()
        )
        stack.callback(database.close)
        world = World(folder, EmbeddedRedis(folder / "redis"))
        site = Installation(folder, database, scale, world.reserve_port, world.redis)
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


def leave(number: int, frame: FrameType | None) -> None:
    """Tidy up on the way out."""
    sys.exit(128 + number)


def mount_in_private() -> None:
    """Become a process whose mounts nobody else sees: they go with it, however it ends."""
    if os.geteuid() == 0 and not os.environ.get(IN_PRIVATE) and shutil.which("unshare"):
        os.environ[IN_PRIVATE] = "yes"
        private = ["unshare", "--mount", "--propagation", "private"]
        os.execvp("unshare", [*private, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])


if __name__ == "__main__":
    mount_in_private()
    faulthandler.register(signal.SIGUSR1)  # Where is it now?
    signal.signal(signal.SIGTERM, leave)
    sys.exit(main(*sys.argv[1:] or ["all"]))
