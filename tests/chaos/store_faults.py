"""Redis and the database are emptied, restarted, unreachable, slow, full."""

import os
import signal

import redis

from tests.chaos.database import Postgres, Sqlite
from tests.chaos.faults import NotHere, Scene, fault
from tests.support.waiting import wait_until

LANE = "stores"
SLOW_SECONDS = 0.15
SLOW_FOR_SECONDS = 8.0
FULL_SECONDS = 6.0
LOCKED_SECONDS = 8.0


@fault(LANE, "Redis is emptied")
def flush(scene: Scene) -> None:
    scene.diary.tell("FLUSHALL")
    with redis.Redis.from_url(scene.site.redis.url) as client:
        client.flushall()


@fault(LANE, "Redis restarts empty")
def restart_redis(scene: Scene) -> None:
    scene.diary.tell("kill Redis; it comes back empty")
    with redis.Redis.from_url(scene.site.redis.url) as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not scene.site.redis.is_running(), message="Redis is down")
    scene.wait(scene.chance.uniform(0, 2))
    scene.site.redis.ensure_running()


@fault(LANE, "Redis is unreachable")
def lose_redis(scene: Scene) -> None:
    way = scene.site.way_to_redis
    how = scene.chance.choice((way.cut, way.block))
    scene.diary.tell(f"Redis is unreachable for {scene.away_seconds:g} s ({how.__name__})")
    how()
    scene.wait(scene.away_seconds)
    way.mend()


@fault(LANE, "Redis is slow")
def slow_redis(scene: Scene) -> None:
    scene.diary.tell(f"Redis answers {SLOW_SECONDS:g} s late")
    scene.site.way_to_redis.slow_down(SLOW_SECONDS)
    scene.wait(SLOW_FOR_SECONDS)
    scene.site.way_to_redis.mend()


@fault(LANE, "PostgreSQL restarts")
def restart_postgres(scene: Scene) -> None:
    database = scene.site.database
    if not isinstance(database, Postgres):
        raise NotHere("this is no PostgreSQL")
    scene.diary.tell("restart PostgreSQL in immediate mode")
    scene.diary.crash()
    database.restart()


@fault(LANE, "PostgreSQL is unreachable")
def lose_postgres(scene: Scene) -> None:
    database = scene.site.database
    if not isinstance(database, Postgres):
        raise NotHere("this is no PostgreSQL")
    how = scene.chance.choice((database.way.cut, database.way.block))
    scene.diary.tell(f"PostgreSQL is unreachable for {scene.away_seconds:g} s ({how.__name__})")
    scene.diary.crash()
    how()
    scene.wait(scene.away_seconds)
    database.way.mend()


@fault(LANE, "the disk is full")
def fill_disk(scene: Scene) -> None:
    database = scene.site.database
    if not isinstance(database, Sqlite):
        raise NotHere("PostgreSQL's disk is not ours to fill")
    if not database.has_own_disk:
        raise NotHere("this process may not mount a small disk (run as root)")
    scene.diary.tell(f"the disk is full for {FULL_SECONDS:g} s")
    scene.diary.crash()
    database.fill_disk()
    scene.wait(FULL_SECONDS)
    database.free_disk()


@fault(LANE, "SQLite is locked")
def lock_sqlite(scene: Scene) -> None:
    database = scene.site.database
    if not isinstance(database, Sqlite):
        raise NotHere("PostgreSQL has more than one writer")
    scene.diary.tell(f"a stranger holds SQLite's lock for {LOCKED_SECONDS:g} s")
    scene.diary.crash()
    database.lock(LOCKED_SECONDS, scene.wait)
