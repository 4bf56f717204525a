"""A feed: reads what changed of one subject once, and sends it to all who watch."""

import asyncio
import contextlib
import functools
import logging
import time
from typing import Any

from plans import conf
from plans.live.ear import listen
from plans.live.frame import Frame, pulse
from plans.live.reading import in_database
from plans.live.source import Source
from plans.live.viewer import Viewer

logger = logging.getLogger(__name__)

PAUSE_PER_COST = 1.0
"""A feed whose reading and rendering takes long rests as long, whatever the frame rate: on a busy
machine both grow, and what people see grows old by their sum."""
TROUBLE_PAUSE_SECONDS = 1.0


class Feed:
    """One subject's frames.

    Settled viewers, who have been told all so far, get what is new; the others get what is new
    since the earliest of them. So a round reads and renders once, whoever watches.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._viewers: set[Viewer] = set()
        self._woken = asyncio.Event()
        self._cursor: str | None = None
        self._next_at = self._refresh_at = 0.0
        self._pulse_at = time.monotonic() + conf.LIVE_HEARTBEAT_SECONDS

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def join(self, viewer: Viewer) -> None:
        """From now on `viewer` gets everything after its cursor."""
        self._viewers.add(viewer)
        self._woken.set()

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def wake(self) -> None:
        """Look soon: something changed, or a viewer that was behind has room again."""
        self._woken.set()

    async def run(self) -> None:
        """Feed the viewers until cancelled."""
        # Without an ear the feed still looks every few seconds.
        ear = asyncio.create_task(listen(self._source.group, self._hear))
        try:
            await self._feed()
        finally:
            ear.cancel()
            await asyncio.gather(ear, return_exceptions=True)

    def _hear(self, doorbell: dict[str, Any]) -> None:
        self._woken.set()

    async def _feed(self) -> None:
        in_trouble = False
        while True:
            await self._rest()
            try:
                await self._round()
            except Exception as error:
                # Whatever it is, the viewers see their page grow old, and it may pass.
                log = logger.debug if in_trouble else logger.exception
                log("The feed of %s cannot go on: %s", self._source, error)
                in_trouble = True
                self._next_at = time.monotonic() + TROUBLE_PAUSE_SECONDS
                self._woken.set()
            else:
                in_trouble = False

    async def _rest(self) -> None:
        """Wait for something to do, and until a round is allowed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(conf.LIVE_POLL_SECONDS):
                await self._woken.wait()
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic()))

    async def _round(self) -> None:
        self._woken.clear()
        began = time.monotonic()
        before = self._cursor
        late = {v: v.asked for v in self._viewers if v.has_room and not v.is_settled}
        is_refresh = began >= self._refresh_at
        source, cursors, shown = self._source, {viewer.cursor for viewer in late}, self._shown()
        reading = await in_database(lambda: source.read(before, cursors, is_refresh, shown))
        ended = time.monotonic()
        if is_refresh:
            self._refresh_at = ended + conf.LIVE_REFRESH_SECONDS
        if reading.has_rendered:
            cost = ended - began
            self._next_at = began + max(1 / conf.FRAMES_PER_SECOND, cost + PAUSE_PER_COST * cost)
        self._cursor = reading.cursor
        settled = {v for v in self._viewers if v.is_settled}
        self._send(reading.news, settled, reading.cursor)
        # Who asked again while this was read gets the answer of the next round.
        answered = {v for v, asked in late.items() if v.asked == asked}
        self._send(reading.difference, answered & self._viewers, reading.cursor)
        if ended >= self._pulse_at:
            self._pulse_at = ended + conf.LIVE_HEARTBEAT_SECONDS
            self._send_pulse(reading.cursor)

    def _send(self, frame: Frame, viewers: set[Viewer], cursor: str) -> None:
        # Pages that show the same of what changed get one message, made once.
        encoded = functools.cache(functools.partial(frame.encode, cursor))
        for viewer in viewers:
            if not frame:
                viewer.settle(cursor)
            elif viewer.has_room:
                viewer.settle(cursor)
                shown = viewer.shown
                viewer.offer(encoded(None if shown is None else shown.intersection(frame.rows)))
            else:
                viewer.is_settled = False

    def _shown(self) -> frozenset[str] | None:
        """The rows that any page shows; None when one may show all."""
        shown = [viewer.shown for viewer in self._viewers]
        return None if None in shown else frozenset[str]().union(*filter(None, shown))

    def _send_pulse(self, cursor: str) -> None:
        message = pulse(cursor)
        for viewer in self._viewers:
            if viewer.has_room and viewer.is_settled:
                viewer.offer(message)
