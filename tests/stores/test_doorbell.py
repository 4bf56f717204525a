"""The doorbell: coalesced, bounded, and silent about a Redis that is away."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from channels.layers import get_channel_layer
from django.conf import settings
from django.test import override_settings

from bluegreen.embedded_redis import EmbeddedRedis
from plans import conf
from plans.stores import doorbell
from plans.stores.doorbell import Doorbell
from tests.support.waiting import wait_until

AT_ITS_END = """
import atexit, threading
atexit.register(lambda: print([each.name for each in threading.enumerate()]))
import django
django.setup()
from plans.stores import doorbell
doorbell.CLOSE_SECONDS = 60  # It may still load what it sends with.
for seq in range(100):
    doorbell.ring(seq, 1)
"""
PREFIX = f"{settings.CHANNEL_LAYERS['default']['CONFIG']['prefix']}__group__"
FLUSH_SECONDS = 60


class Listener:
    """Hears every ring, by group, as Redis delivers it."""

    def __init__(self, client: redis.Redis) -> None:
        self._subscription = client.pubsub(ignore_subscribe_messages=True)
        self._subscription.psubscribe(f"{PREFIX}*")
        assert self._subscription.get_message(timeout=20) is None

    def heard(self, group: str, last: int) -> list[int]:
        """The seqs that the group heard, in order, up to and with `last`."""
        seqs: list[int] = []
        deadline = time.monotonic() + FLUSH_SECONDS
        while not seqs or seqs[-1] != last:
            assert time.monotonic() < deadline, f"{group} heard {seqs}, not {last}"
            message = self._subscription.get_message(timeout=0.1)
            if message and message["channel"].decode() == f"{PREFIX}{group}":
                ring: dict[str, Any] = get_channel_layer().deserialize(message["data"])
                assert ring["type"] == "doorbell"
                seqs.append(ring["seq"])
        return seqs

    def is_silent(self) -> bool:
        return self._subscription.get_message(timeout=0.2) is None

    def close(self) -> None:
        self._subscription.close()


@pytest.fixture(autouse=True)
def _quiet() -> None:
    # What others rang for before this test comes late on a busy machine.
    assert doorbell.flush(FLUSH_SECONDS)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        listener = Listener(client)
        yield listener
        listener.close()


def test_a_ring_reaches_the_plan_and_the_fleet_through_the_channel_layer() -> None:
    async def hear() -> list[dict[str, Any]]:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(doorbell.group_of(7), channel)
        await layer.group_add(doorbell.FLEET, channel)
        doorbell.ring(7, 42)
        async with asyncio.timeout(FLUSH_SECONDS):
            return [await layer.receive(channel) for _ in range(2)]

    assert asyncio.run(hear()) == [{"type": "doorbell", "plan": 7, "seq": 42}] * 2


def test_the_first_ring_of_a_burst_comes_at_once_and_the_last_one_always(
    listener: Listener,
) -> None:
    bell = Doorbell()
    bell.ring(7, 1)
    assert listener.heard("plan.7", last=1) == [1]
    began = time.monotonic()
    for seq in range(2, 5001):
        bell.ring(7, seq)

    seqs = listener.heard("plan.7", last=5000)

    assert seqs == sorted(set(seqs))
    allowed = 2 + (time.monotonic() - began) * conf.DOORBELLS_PER_SECOND
    assert len(seqs) <= allowed
    assert bell.flush(FLUSH_SECONDS)


def test_a_late_lower_seq_does_not_hide_a_higher_one(listener: Listener) -> None:
    bell = Doorbell()
    bell.ring(7, 1)
    listener.heard("plan.7", last=1)
    bell.ring(7, 9)
    bell.ring(7, 8)
    assert listener.heard("plan.7", last=9)[-1] == 9
    # Where the higher one was sent at once, the lower one follows.
    assert bell.flush(FLUSH_SECONDS)
    bell.ring(7, 10)
    assert listener.heard("plan.7", last=10) in ([10], [8, 10])


def test_a_busy_plan_does_not_delay_another_one(listener: Listener) -> None:
    bell = Doorbell()
    stop = threading.Event()

    def ring_without_end() -> None:
        seq = 0
        while not stop.wait(0.001):
            seq += 1
            bell.ring(1, seq)

    noise = threading.Thread(target=ring_without_end)
    noise.start()
    try:
        for seq in range(1, 4):
            bell.ring(2, seq)
            assert listener.heard("plan.2", last=seq) == [seq]
    finally:
        stop.set()
        noise.join()
    assert bell.flush(FLUSH_SECONDS)


def test_rings_of_many_threads_all_arrive(listener: Listener) -> None:
    bell = Doorbell()
    threads = [
        threading.Thread(target=lambda: [bell.ring(7, seq) for seq in range(1, 501)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bell.flush(FLUSH_SECONDS)
    assert listener.heard("plan.7", last=500)[-1] == 500


def test_a_quiet_doorbell_sends_nothing(listener: Listener) -> None:
    bell = Doorbell()
    assert bell.flush(0)
    bell.ring(7, 1)
    assert bell.flush(FLUSH_SECONDS)
    listener.heard("fleet", last=1)
    assert listener.is_silent()


def layers_at(address: str) -> dict[str, Any]:
    default = settings.CHANNEL_LAYERS["default"]
    return {
        "default": {**default, "CONFIG": {**default["CONFIG"], "hosts": [{"address": address}]}}
    }


def test_an_outage_is_logged_once_and_what_was_rung_meanwhile_comes_after_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "OUTAGE_PAUSE_SECONDS", 0.05)
    caplog.set_level(logging.INFO, "plans.stores.doorbell")
    server = EmbeddedRedis(tmp_path / "redis")

    def said() -> list[str]:
        return [each.levelname for each in caplog.records if each.name == doorbell.__name__]

    with override_settings(CHANNEL_LAYERS=layers_at(server.url)):
        bell = Doorbell()
        for seq in range(1, 4):
            bell.ring(7, seq)
            bell.ring(8, seq)
            assert not bell.flush(0.3)
        wait_until(said, message="it is logged")
        assert said() == ["WARNING"]

        server.ensure_running()
        try:
            assert bell.flush(FLUSH_SECONDS)
        finally:
            server.stop()
        wait_until(lambda: len(said()) >= 2, message="its end is logged")
        assert said() == ["WARNING", "INFO"]


def test_a_forked_child_rings_by_itself(listener: Listener) -> None:
    doorbell.ring(7, 1)
    assert doorbell.flush(FLUSH_SECONDS)
    listener.heard("plan.7", last=1)

    child = os.fork()
    if child == 0:
        signal.alarm(2 * FLUSH_SECONDS)
        doorbell.ring(7, 2)
        os._exit(0 if doorbell.flush(FLUSH_SECONDS) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert listener.heard("plan.7", last=2) == [2]


def test_its_thread_is_gone_before_the_interpreter_ends() -> None:
    # One that the ending interpreter stopped in the middle has aborted finished commands.
    ended = subprocess.run(
        [sys.executable, "-c", AT_ITS_END], stdout=subprocess.PIPE, check=True, text=True
    )
    assert ended.stdout == "['MainThread']\n"
