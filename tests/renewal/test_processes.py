"""Real processes share renewals; one is killed, frozen, or told to stop."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from redis import Redis

from plans.models import Renewal, RenewalProcess
from tests.renewal.conftest import listed, register
from tests.support import database
from tests.support.processes import RunningProcess
from tests.support.waiting import WAIT_SECONDS, wait_until
from tests.survive.crew import nobody_holds_a_lock
from tests.survive.nursery import Nursery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

TTL_SECONDS = 100.0
EXTENDING = {"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"}
INTERVAL = {"kind": "fixed", "seconds": 1}
Start = Callable[[int], list[RunningProcess]]
ROWS = [f"row-{number}" for number in range(6)]


class Witness(threading.Thread):
    """Writes down every command that extends a key, in their order."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        client = Redis.from_url(settings.TENANT_REDIS_URL, protocol=2, socket_timeout=None)
        self._monitor = client.monitor()
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.listens = threading.Event()
        self.stopped = False

    def run(self) -> None:
        with self._monitor as monitor:
            self.listens.set()
            while not self.stopped:
                heard: dict[str, Any] = monitor.next_command()
                name, *words = heard["command"].split()
                if name.upper() in EXTENDING:
                    self.seen[words[0]].append(words[1])

    def assert_no_key_was_renewed_twice_for_one_round(self) -> None:
        for key, ends in list(self.seen.items()):
            assert len(ends) == len(set(ends)), (key, ends)


@pytest.fixture
def witness(tenants: Redis) -> Iterator[Witness]:
    started = Witness()
    started.start()
    assert started.listens.wait(WAIT_SECONDS)
    yield started
    started.stopped = True
    tenants.ping()
    started.join(WAIT_SECONDS)
    assert not started.is_alive()


@pytest.fixture(scope="module")
def nursery(django_db_setup: None) -> Iterator[Nursery]:
    """What forks the processes, with a short lease."""
    url = database.url_of(connection.settings_dict)
    started = Nursery({**os.environ, "DATABASE_URL": url, "RENEWAL_LEASE_SECONDS": "2"})
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def start(transactional_db: None, nursery: Nursery, tmp_path: Path) -> Iterator[Start]:
    """Starts so many renewal processes, which are ready when they are handed out."""
    started: list[RunningProcess] = []

    def start(count: int) -> list[RunningProcess]:
        names = [f"renewals-{len(started) + number}" for number in range(count)]
        new = [nursery.fork(name, tmp_path, "renewals") for name in names]
        started.extend(new)
        wait_until(lambda: len(shares()) == count, message="the processes are there")
        return new

    yield start
    for process in started:
        process.thaw()
        process.kill()
        print(f"--- {process.name} ---\n{process.log}")


def renew(tenants: Redis, processes: int, ttl_seconds: float = TTL_SECONDS) -> list[str]:
    """Six renewals of two keys each, shared by the processes; the names of the keys."""
    keys = []
    for row in ROWS:
        names = [f"{row}-a", f"{row}-b"]
        for name in names:
            tenants.set(name, 1, px=round(ttl_seconds * 1000))
        ttl = {"kind": "fixed", "seconds": ttl_seconds}
        register(row, listed(*names), ttl=ttl, interval=INTERVAL)
        keys += names
    wait_until(lambda: shares() == [len(ROWS) // processes] * processes, message="they share")
    wait_until(lambda: not Renewal.objects.filter(anchor_ms=None).exists(), message="they begin")
    return keys


def shares() -> list[int]:
    alive = RenewalProcess.objects.filter(ended_at__isnull=True)
    return sorted(Renewal.objects.filter(owner=process).count() for process in alive)


def rows_of(process: RunningProcess) -> set[int]:
    mine = Renewal.objects.filter(owner__name__contains=f":{process.pid}:")
    return set(mine.values_list("pk", flat=True))


def freeze(process: RunningProcess) -> None:
    """SIGSTOP it while it holds no lock in the database."""

    def frozen() -> bool:
        process.freeze()
        if nobody_holds_a_lock():
            return True
        process.thaw()
        return False

    wait_until(frozen, message="it is frozen outside of a transaction")


def pass_seconds(tenants: Redis, seconds: float, keys: list[str]) -> None:
    """Let time pass by Redis's clock; no key may be missing meanwhile."""
    end = tenants.time()[0] + seconds

    def is_over() -> bool:
        assert tenants.exists(*keys) == len(keys)
        return tenants.time()[0] >= end

    wait_until(is_over)


def every_end_moves(tenants: Redis, keys: list[str]) -> None:
    """Wait until each key has been renewed once more; none may be missing meanwhile."""
    before = {key: tenants.pexpiretime(key) for key in keys}

    def have_moved() -> bool:
        ends = {key: tenants.pexpiretime(key) for key in keys}
        assert min(ends.values()) > 0, ends
        return all(ends[key] > before[key] for key in keys)

    wait_until(have_moved, message="every key is renewed again")


def test_no_key_runs_out_when_one_of_two_is_killed(
    start: Start, tenants: Redis, witness: Witness
) -> None:
    killed, staying = start(2)
    renewed = renew(tenants, 2)
    lost = wait_until(lambda: rows_of(killed), message="it has rows")
    killed.kill()
    wait_until(lambda: rows_of(staying) >= lost, message="the other takes over")
    every_end_moves(tenants, renewed)
    wait_until(lambda: witness.seen.keys() >= set(renewed), message="every renewal is witnessed")
    witness.assert_no_key_was_renewed_twice_for_one_round()
    assert min(Renewal.objects.filter(pk__in=lost).values_list("epoch", flat=True)) >= 2


def test_one_that_was_frozen_past_its_lease_renews_nothing_twice(
    start: Start, tenants: Redis, witness: Witness
) -> None:
    frozen, staying = start(2)
    renewed = renew(tenants, 2)
    lost = wait_until(lambda: rows_of(frozen), message="it has rows")
    freeze(frozen)
    wait_until(lambda: rows_of(staying) >= lost, message="the other takes over")
    pass_seconds(tenants, 1, renewed)
    frozen.thaw()
    frozen.wait_for_log("begins anew")
    wait_until(lambda: shares() == [0, 3, 3] or shares() == [3, 3], message="they share again")
    pass_seconds(tenants, 2, renewed)
    witness.assert_no_key_was_renewed_twice_for_one_round()


def test_renewals_survive_a_restart_in_step(start: Start, tenants: Redis, witness: Witness) -> None:
    (first,) = start(1)
    renewed = renew(tenants, 1, ttl_seconds=60)
    anchors = dict(Renewal.objects.values_list("pk", "anchor_ms"))
    pass_seconds(tenants, 1, renewed)
    first.terminate()
    assert first.wait() == 0
    assert shares() == []
    assert not RenewalProcess.objects.filter(ended_at__isnull=True).exists()
    start(1)
    pass_seconds(tenants, 2, renewed)
    assert dict(Renewal.objects.values_list("pk", "anchor_ms")) == anchors
    wait_until(
        lambda: Renewal.objects.filter(renewed__gt=F("failed")).count() == len(ROWS),
        message="what was renewed is written down",
    )
    witness.assert_no_key_was_renewed_twice_for_one_round()
