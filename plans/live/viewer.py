"""A viewer: one open page, what it knows, and what is under way to it."""

import asyncio
import time

from plans import conf


class Viewer:
    """One open page. It says of each message that it saw it.

    Servers take every message and keep it until the network does, so a page that stands still
    would fill the memory. With `LIVE_UNSEEN_FRAMES_MAX` messages unseen it therefore gets no more;
    once it has seen them it gets, from its cursor, one difference that covers all it missed.
    """

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        self.shown: frozenset[str] | None = None
        """Element ids of the rows on the page; None: it has not said, and gets all."""
        self.is_settled = False
        self.asked = 0
        """How often it has asked for more than it was about to get."""
        self._outbox: asyncio.Queue[str] = asyncio.Queue(conf.LIVE_UNSEEN_FRAMES_MAX)
        self._unseen = 0
        self._moved_at = time.monotonic()

    @property
    def has_room(self) -> bool:
        # A page may say that it saw what its socket has not even taken yet.
        return self._unseen < conf.LIVE_UNSEEN_FRAMES_MAX and not self._outbox.full()

    @property
    def is_stalled(self) -> bool:
        """It has not seen anything for so long that nobody can be looking at it."""
        return self._unseen > 0 and time.monotonic() - self._moved_at > conf.LIVE_PATIENCE_SECONDS

    def settle(self, cursor: str) -> None:
        """The page knows everything up to `cursor`, or will with the next message."""
        self.cursor = cursor
        self.is_settled = True

    def unsettle(self, cursor: str) -> None:
        """The page says itself up to where it knows everything."""
        if cursor != self.cursor:
            self.cursor = cursor
            self._ask()

    def show(self, rows: frozenset[str]) -> None:
        """The page says which rows are on it. What is being read now may leave out new ones."""
        if self.shown is not None and not rows <= self.shown:
            self._ask()
        self.shown = rows

    def _ask(self) -> None:
        self.is_settled = False
        self.asked += 1

    def offer(self, message: str) -> None:
        """Send `message` when the socket can take it."""
        if self._unseen == 0:
            self._moved_at = time.monotonic()
        self._unseen += 1
        self._outbox.put_nowait(message)

    def saw(self) -> None:
        """The page has shown the oldest message under way."""
        self._unseen = max(0, self._unseen - 1)
        self._moved_at = time.monotonic()

    async def next_message(self) -> str:
        """Wait for the next message to send."""
        return await self._outbox.get()
