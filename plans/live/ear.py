"""Hears doorbells for a feed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer
from redis import RedisError

from plans import conf

logger = logging.getLogger(__name__)

OUTAGE_PAUSE_SECONDS = 1.0


async def listen(group: str, hear: Callable[[dict[str, Any]], None]) -> None:
    """Call `hear` with every doorbell of `group`, until cancelled; Redis may come and go.

    What is published there and is no doorbell of ours is skipped.
    """
    has_said_nonsense = False
    while True:
        layer = get_channel_layer()
        try:
            async with asyncio.timeout(conf.REDIS_TIMEOUT_SECONDS):
                channel = await layer.new_channel()
                await layer.group_add(group, channel)
        except (RedisError, OSError) as error:
            logger.debug("The doorbells of %s cannot be heard: %s", group, error)
            await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
            continue
        try:
            while True:
                try:
                    hear(await layer.receive(channel))
                except ValueError as error:
                    log = logger.debug if has_said_nonsense else logger.warning
                    log("Somebody publishes in %s what is no doorbell: %r", group, error)
                    has_said_nonsense = True
        finally:
            with contextlib.suppress(RedisError, OSError):
                async with asyncio.timeout(conf.REDIS_TIMEOUT_SECONDS):
                    await layer.group_discard(group, channel)
