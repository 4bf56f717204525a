"""Ring for the open pages: "plan 7 has changed, up to seq 42", never what has changed.

One background thread with one event loop sends for the whole process: a loop per ring would open
new connections each time. Rings may be lost with Redis or with the process; readers have cursors.
"""

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time

from channels.layers import get_channel_layer
from redis import RedisError

from plans import conf

logger = logging.getLogger(__name__)

FLEET = "fleet"
OUTAGE_PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0


def group_of(plan_id: int) -> str:
    """The channel-layer group in which a plan's doorbell is heard."""
    return f"plan.{plan_id}"


class Doorbell:
    """Coalesces rings to the highest seq of each plan and sends them at a bounded rate."""

    def __init__(self) -> None:
        self._interval = 1 / conf.DOORBELLS_PER_SECOND
        self._changed = threading.Condition()
        self._waiting: dict[int, int] = {}
        self._sending = 0
        self._sent_at: dict[int, float] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._is_out = False
        self._is_closed = False

    def ring(self, plan_id: int, seq: int) -> None:
        """Note that the plan changed up to `seq`. Returns at once and never raises."""
        with self._changed:
            is_new = plan_id not in self._waiting
            self._waiting[plan_id] = max(seq, self._waiting.get(plan_id, 0))
            # While the interpreter ends there is no thread to start and no loop to wake.
            with contextlib.suppress(RuntimeError):
                if self._thread is None or not self._thread.is_alive():
                    self._loop = None
                    self._thread = threading.Thread(target=self._live, name="doorbell", daemon=True)
                    self._thread.start()
                elif is_new and self._loop is not None:
                    self._loop.call_soon_threadsafe(self._woken.set)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is sent; False when that takes longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)

    def close(self) -> None:
        """End the thread for good; what is not sent by then is lost."""
        with self._changed:
            self._is_closed = True
            thread, loop, sender = self._thread, self._loop, self._sender
            if loop is not None and sender is not None:
                with contextlib.suppress(RuntimeError):  # It has ended.
                    loop.call_soon_threadsafe(sender.cancel)
        if thread is not None:
            thread.join(CLOSE_SECONDS)

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        with self._changed:
            self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
            self._sender = asyncio.current_task()
        while not self._is_closed:
            self._woken.clear()
            due, pause = self._take_due()
            if not await self._send_all(due):
                await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
            elif not due:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._woken.wait()

    def _take_due(self) -> tuple[dict[int, int], float | None]:
        """What may be sent now, and in how many seconds more may (None: nothing waits)."""
        with self._changed:
            now = time.monotonic()
            self._sent_at = {p: at for p, at in self._sent_at.items() if now - at < self._interval}
            due = {p: seq for p, seq in self._waiting.items() if p not in self._sent_at}
            self._waiting = {p: seq for p, seq in self._waiting.items() if p in self._sent_at}
            self._sent_at.update(dict.fromkeys(due, now))
            self._sending = len(due)
            next_at = min((self._sent_at[p] for p in self._waiting), default=None)
            return due, None if next_at is None else max(next_at + self._interval - now, 0.0)

    async def _send_all(self, due: dict[int, int]) -> bool:
        """Send what is due; what cannot be sent waits again."""
        unsent: dict[int, int] = {}
        for plan_id, seq in due.items():
            if unsent or not await self._send(plan_id, seq):
                unsent[plan_id] = seq
        with self._changed:
            self._sending = 0
            for plan_id, seq in unsent.items():
                self._waiting[plan_id] = max(seq, self._waiting.get(plan_id, 0))
            self._changed.notify_all()
        return not unsent

    async def _send(self, plan_id: int, seq: int) -> bool:
        message = {"type": "doorbell", "plan": plan_id, "seq": seq}
        # The layer keeps its connections for each loop apart, so it is asked for in this one.
        layer = get_channel_layer()
        try:
            async with asyncio.timeout(conf.REDIS_TIMEOUT_SECONDS):
                await layer.group_send(group_of(plan_id), message)
                await layer.group_send(FLEET, message)
        except (RedisError, OSError) as error:
            if not self._is_out:
                logger.warning("Doorbells do not ring, pages fall behind: %s", error)
            self._is_out = True
            return False
        if self._is_out:
            logger.info("Doorbells ring again.")
        self._is_out = False
        return True


_doorbell = Doorbell()


def ring(plan_id: int, seq: int) -> None:
    """Tell the open pages that the plan changed up to `seq`. Returns at once, never raises."""
    _doorbell.ring(plan_id, seq)


def flush(timeout: float) -> bool:
    """Wait until everything is sent; False when that takes longer than `timeout` seconds."""
    return _doorbell.flush(timeout)


def _start_anew() -> None:
    # Threads do not live on in a forked child, and its copy of the lock may be held for ever.
    global _doorbell
    _doorbell = Doorbell()


@atexit.register
def _close() -> None:
    # A thread that the ending interpreter stops in the middle can abort the process.
    _doorbell.close()


os.register_at_fork(after_in_child=_start_anew)
