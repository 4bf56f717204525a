"""Doorbells are heard again after Redis was away."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.conf import settings
from django.test import override_settings
from redis import Redis, RedisError

from bluegreen.embedded_redis import EmbeddedRedis
from plans.live import ear

WAIT_SECONDS = 60.0


def test_a_feed_hears_again_after_redis_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ear, "OUTAGE_PAUSE_SECONDS", 0.05)
    caplog.set_level(logging.CRITICAL)
    server = EmbeddedRedis(tmp_path / "redis")
    default = settings.CHANNEL_LAYERS["default"]
    hosts = [{**default["CONFIG"]["hosts"][0], "address": server.url}]
    config = {**default["CONFIG"], "hosts": hosts}
    heard: list[dict[str, Any]] = []

    async def ring_until_heard() -> None:
        count = len(heard)
        async with asyncio.timeout(WAIT_SECONDS):
            while len(heard) == count:
                try:
                    await get_channel_layer().group_send("plan.7", {"type": "doorbell"})
                except (RedisError, OSError):
                    continue
                finally:
                    await asyncio.sleep(0.02)

    async def scene() -> None:
        listening = asyncio.create_task(ear.listen("plan.7", heard.append))
        await asyncio.sleep(0)  # It begins while there is no Redis yet.
        for _ in range(2):
            await asyncio.to_thread(server.ensure_running)
            await ring_until_heard()
            await asyncio.to_thread(server.stop)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    with override_settings(CHANNEL_LAYERS={"default": {**default, "CONFIG": config}}):
        asyncio.run(scene())
    assert len(heard) >= 2


@pytest.mark.parametrize("junk", [b"garbage", b"", b"\xc1", b"\x81\x01\x01", b"\xa1\xff"])
def test_a_message_that_nobody_can_read_is_said_once_and_what_follows_is_heard(
    junk: bytes, redis_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def scene() -> dict[str, Any]:
        # In a group of its own: for the fleet an earlier test may still be ringing.
        listening = asyncio.create_task(ear.listen("ear", heard.put_nowait))
        with Redis.from_url(redis_server) as redis:
            async with asyncio.timeout(WAIT_SECONDS):
                while redis.publish("bluegreen__group__ear", junk) == 0:
                    await asyncio.sleep(0.02)
                redis.publish("bluegreen__group__ear", junk)
                await get_channel_layer().group_send("ear", {"type": "doorbell"})
                first = await heard.get()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return first

    assert asyncio.run(scene()) == {"type": "doorbell"}
    assert caplog.text.count("what is no doorbell") == 1
