"""The feeds of this process: one for each subject that somebody watches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from plans.live.feed import Feed
from plans.live.source import Source
from plans.live.viewer import Viewer

_running: dict[Hashable, tuple[Feed, asyncio.Task[None]]] = {}


@asynccontextmanager
async def watching(
    subject: Hashable, make_source: Callable[[], Source], viewer: Viewer
) -> AsyncIterator[Feed]:
    """Let `viewer` watch `subject`. The first viewer starts the feed, the last one ends it."""
    # A feed belongs to the loop that runs it; a server has one, tests have many.
    key = (asyncio.get_running_loop(), subject)
    if key not in _running:
        feed = Feed(make_source())
        _running[key] = feed, asyncio.create_task(feed.run())
    feed, task = _running[key]
    feed.join(viewer)
    try:
        yield feed
    finally:
        feed.leave(viewer)
        if not feed.viewers:
            del _running[key]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
