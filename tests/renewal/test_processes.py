"""Real processes share renewals; one is killed, frozen, or told to stop."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from redis import Redis

from plans.models import Renewal, RenewalProcess
from tests.renewal.conftest import listed, register
from tests.support.processes import Processes, RunningProcess
from tests.support.waiting import wait_until
from tests.survive.crew import nobody_holds_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

LEASE = {"RENEWAL_LEASE_SECONDS": "1.5"}
TTL_SECONDS = 6.5
INTERVAL = {"kind": "fixed", "seconds": 1}
ROWS = [f"row-{number}" for number in range(6)]


class Witness(threading.Thread):
    """Writes down every command that extends a key, by Redis's clock."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        client = Redis.from_url(settings.TENANT_REDIS_URL, protocol=2, socket_timeout=None)
        self._monitor = client.monitor()
        self.seen: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self.stopped = False

    def run(self) -> None:
        with self._monitor as monitor:
            while not self.stopped:
                heard: dict[str, Any] = monitor.next_command()
                words = heard["command"].split()
                if "EXPIRE" in words[0].upper():
                    self.seen[words[1]].append((float(heard["time"]), words[2]))

    def assert_no_key_was_renewed_twice_for_one_round(self) -> None:
        for key, times in self.seen.items():
            ends = [end for _, end in times]
            assert len(ends) == len(set(ends)), (key, times)


@pytest.fixture
def witness(tenants: Redis) -> Iterator[Witness]:
    started = Witness()
    started.start()
    yield started
    started.stopped = True
    tenants.ping()
    started.join(10)


def start(processes: Processes, count: int) -> list[RunningProcess]:
    """Renewal processes that are ready."""
    started = [processes.manage("renewals", **LEASE) for _ in range(count)]
    wait_until(lambda: len(shares()) == count, 40, "the processes are there")
    return started


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

    wait_until(is_over, seconds + 10)


def test_no_key_runs_out_when_one_of_two_is_killed(
    processes: Processes, tenants: Redis, witness: Witness
) -> None:
    killed, staying = start(processes, 2)
    renewed = renew(tenants, 2)
    assert rows_of(killed).isdisjoint(rows_of(staying))
    lost = rows_of(killed)
    killed.kill()
    wait_until(lambda: rows_of(staying) >= lost, message="the other takes over")
    pass_seconds(tenants, TTL_SECONDS, renewed)
    witness.assert_no_key_was_renewed_twice_for_one_round()
    assert set(witness.seen) >= set(renewed)
    assert set(Renewal.objects.filter(pk__in=lost).values_list("epoch", flat=True)) >= {2}


def test_one_that_was_frozen_past_its_lease_renews_nothing_twice(
    processes: Processes, tenants: Redis, witness: Witness
) -> None:
    frozen, staying = start(processes, 2)
    renewed = renew(tenants, 2)
    lost = rows_of(frozen)
    freeze(frozen)
    wait_until(lambda: rows_of(staying) >= lost, 20, "the other takes over")
    pass_seconds(tenants, 1, renewed)
    frozen.thaw()
    frozen.wait_for_log("begins anew")
    wait_until(lambda: shares() == [0, 3, 3] or shares() == [3, 3], 20, "they share again")
    pass_seconds(tenants, 2, renewed)
    witness.assert_no_key_was_renewed_twice_for_one_round()


def test_renewals_survive_a_restart_in_step(
    processes: Processes, tenants: Redis, witness: Witness
) -> None:
    (first,) = start(processes, 1)
    renewed = renew(tenants, 1, ttl_seconds=60)
    anchors = dict(Renewal.objects.values_list("pk", "anchor_ms"))
    pass_seconds(tenants, 1, renewed)
    first.terminate()
    assert first.wait() == 0
    assert shares() == []
    assert not RenewalProcess.objects.filter(ended_at__isnull=True).exists()
    start(processes, 1)
    pass_seconds(tenants, 2, renewed)
    assert dict(Renewal.objects.values_list("pk", "anchor_ms")) == anchors
    assert Renewal.objects.filter(renewed__gt=F("failed")).count() == len(ROWS)
    witness.assert_no_key_was_renewed_twice_for_one_round()
