"""A feed and its viewers, on a subject made of numbers."""

import asyncio
import time
from typing import Any

import pytest

from plans import conf
from plans.stores import doorbell
from tests.live.numbers import Numbers, Watcher, play


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens by itself, unless the test wants it to."""
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 600.0)
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 600.0)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 600.0)


def test_who_joins_gets_the_difference_from_its_cursor() -> None:
    numbers = Numbers()
    numbers.seq = 7

    async def scene(feed: Any, watcher: Watcher) -> None:
        message = await watcher.receive()
        assert message["cursor"] == "7"
        told = {cell[0] for cell in message["cells"]}
        assert told == {"cell-5", "cell-6", "cell-7"}
        assert message["regions"] == '<p id="beats">0</p>'
        assert "whole" not in message

    play(numbers, scene, ["4"])


@pytest.mark.parametrize("cursor", ["0", "", "no number", "-5", "99999", "9" * 5000])
def test_a_cursor_too_old_or_impossible_gets_the_whole(cursor: str) -> None:
    numbers = Numbers()
    numbers.seq = 500

    async def scene(feed: Any, watcher: Watcher) -> None:
        message = await watcher.receive()
        assert message["whole"] is True
        assert message["refresh"] == ["table"]
        assert len(message["cells"]) == 500

    play(numbers, scene, [cursor])


def test_a_change_is_read_and_rendered_once_for_all_viewers() -> None:
    costs = {}
    for viewers in (1, 50):
        numbers = Numbers()

        async def scene(feed: Any, *watchers: Watcher, numbers: Numbers = numbers) -> None:
            for watcher in watchers:
                await watcher.receive()
            before = numbers.looks, numbers.renders
            for seq in (1, 2, 3):
                numbers.change()
                feed.wake()
                for watcher in watchers:
                    assert (await watcher.receive())["cursor"] == str(seq)
            costs[len(watchers)] = numbers.looks - before[0], numbers.renders - before[1]

        play(numbers, scene, ["0"] * viewers)
    assert costs == {1: (3, 3), 50: (3, 3)}


def test_the_first_of_a_burst_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "FRAMES_PER_SECOND", 1 / 600)
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()
        feed._next_at = 0.0  # Ten minutes have passed since.
        numbers.change()
        feed.wake()
        assert (await watcher.receive())["cursor"] == "1"
        numbers.change()
        feed.wake()
        assert await watcher.is_silent(0.3)

    play(numbers, scene, ["0"])


def test_the_rest_of_a_burst_comes_at_the_frame_rate_and_the_last_always() -> None:
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        seen = await watcher.receive()
        began = time.monotonic()
        frames = 0
        while time.monotonic() - began < 1:
            numbers.change()
            feed.wake()
            await asyncio.sleep(0.005)
            while watcher.viewer._unseen:
                frames += 1
                seen = await watcher.receive()
        assert frames <= (time.monotonic() - began) * conf.FRAMES_PER_SECOND + 1
        feed.wake()
        while seen["cursor"] != str(numbers.seq):  # Where it has not come during the burst.
            seen = await watcher.receive()

    play(numbers, scene, ["0"])


def test_a_viewer_that_stands_still_gets_a_few_messages_and_later_one_that_covers_the_rest() -> (
    None
):
    numbers = Numbers()

    async def scene(feed: Any, still: Watcher, other: Watcher) -> None:
        while other.viewer.cursor != "20":
            numbers.seq = min(20, numbers.seq + 1)
            feed.wake()
            await other.receive()
        got = [await still.receive(acknowledge=False) for _ in range(conf.LIVE_UNSEEN_FRAMES_MAX)]
        assert await still.is_silent(0.3)
        for _ in got:
            still.viewer.saw()
        feed.wake()
        rest = await still.receive()
        assert rest["cursor"] == "20"
        told = {cell[0] for message in [*got, rest] for cell in message.get("cells", [])}
        assert told == {f"cell-{n}" for n in range(1, 21)}

    play(numbers, scene, ["0", "0"])


def test_a_lost_doorbell_is_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.1)
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()
        numbers.change()
        assert (await watcher.receive())["cursor"] == "1"

    play(numbers, scene, ["0"])


def test_a_doorbell_wakes_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = Numbers()
    numbers.group = doorbell.group_of(7)

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()
        numbers.change()
        ringing = asyncio.create_task(ring_until_heard())
        assert (await watcher.receive())["cursor"] == "1"
        ringing.cancel()

    async def ring_until_heard() -> None:
        while True:  # Nobody knows when the feed has begun to listen.
            doorbell.ring(7, 1)
            await asyncio.sleep(0.05)

    play(numbers, scene, ["0"])


def test_what_changes_without_an_event_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 0.1)
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()
        numbers.beats = 1
        message = await watcher.receive()
        assert message["regions"] == '<p id="beats">1</p>'
        assert await watcher.is_silent(0.4)

    play(numbers, scene, ["0"])


def test_a_pulse_says_that_the_page_is_still_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 0.1)
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()
        assert set(await watcher.receive()) == {"cursor", "at"}

    play(numbers, scene, ["0"])


def test_a_feed_that_cannot_read_sends_no_pulse_and_goes_on_when_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plans.live.feed.TROUBLE_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 0.05)
    numbers = Numbers()
    numbers.breaks = True

    async def scene(feed: Any, watcher: Watcher) -> None:
        assert await watcher.is_silent(0.3)
        numbers.change()
        numbers.breaks = False
        message = await watcher.receive()
        while message["cursor"] != "1":
            message = await watcher.receive()

    play(numbers, scene, ["0"])


def test_the_last_viewer_ends_the_feed_and_the_next_one_starts_another() -> None:
    numbers = Numbers()

    async def scene(feed: Any, watcher: Watcher) -> None:
        await watcher.receive()

    play(numbers, scene, ["0"])
    looks = numbers.looks
    numbers.change()
    assert numbers.looks == looks
    play(numbers, scene, ["0"])
    assert numbers.looks > looks
