"""The way to one Redis: its clock, its threads, and what waits while it is away."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from redis import Redis, RedisError

from plans import conf
from plans.renewal.extender import Extender, Move, batches
from plans.renewal.figures import Figures
from plans.renewal.portion import Portion, Round

logger = logging.getLogger(__name__)

CLOCK_READINGS = 3
CLOCK_SECONDS = 1.0
CLOCK_JUMP_MS = 1000.0

Turn = tuple[Portion, Round]


class NotNow(Exception):
    """The right to send was lost a moment before sending."""


class Link:
    """Sends what is due. What it cannot send it keeps, and sends first when it can again.

    `may_send` says whether this process still has the right to. `on_clock_jump` is called when
    Redis's clock is suddenly another one, as after a failover.
    """

    def __init__(
        self,
        name: str,
        client: Redis,
        figures: Figures,
        may_send: Callable[[], bool],
        on_clock_jump: Callable[["Link"], None],
    ) -> None:
        self.name = name
        self.client = client
        self.away: str = ""
        """Why Redis cannot be used at the moment; empty while it can."""
        self._extender = Extender(client)
        self._figures = figures
        self._may_send = may_send
        self._on_clock_jump = on_clock_jump
        self._due: deque[Portion] = deque()
        self._looks: deque[Portion] = deque()
        self._waiting = threading.Semaphore(0)
        self._held: deque[Portion] = deque()
        self._offset_ms: float | None = None
        self._stopped = threading.Event()
        self._senders = [
            threading.Thread(target=self._send_forever, name=f"renewal-{name}-{n}", daemon=True)
            for n in range(conf.RENEWAL_THREADS)
        ]
        self._watcher = threading.Thread(
            target=self._watch, name=f"renewal-{name}-watch", daemon=True
        )

    def start(self) -> None:
        for thread in (self._watcher, *self._senders):
            thread.start()

    def stop(self, wait_seconds: float) -> None:
        """Let what is being sent end, but wait no longer than `wait_seconds`."""
        self._stopped.set()
        for _ in self._senders:
            self._waiting.release()
        deadline = time.monotonic() + wait_seconds
        for thread in (*self._senders, self._watcher):
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def has_clock(self) -> bool:
        """Whether Redis's time is known yet."""
        return self._offset_ms is not None

    def now_ms(self) -> float:
        """What Redis's clock says now, without asking it: milliseconds since 1970."""
        assert self._offset_ms is not None
        return time.monotonic() * 1000 + self._offset_ms

    def monotonic(self, redis_ms: float) -> float:
        """A time of Redis's clock by this process's, in seconds."""
        assert self._offset_ms is not None
        return (redis_ms - self._offset_ms) / 1000

    def put(self, portion: Portion, *, is_due: bool = False) -> None:
        """Have a portion sent as soon as can be; never waits. What is due goes first."""
        if portion.is_held:
            return
        if not portion.is_waiting or is_due:
            portion.is_waiting = True
            (self._due if is_due else self._looks).append(portion)
            self._waiting.release()

    # --- Sending -------------------------------------------------------------------------

    def _send_forever(self) -> None:
        while True:
            self._waiting.acquire()
            if self._stopped.is_set():
                return
            portions = self._take()
            try:
                self._send(portions)
            except Exception:
                logger.exception("Keys were not renewed")

    def _take(self) -> list[Portion]:
        portions, keys = [self._pop()], 0
        while True:
            keys += len(portions[-1].keys)
            if keys >= conf.RENEWAL_BATCH_KEYS or not self._waiting.acquire(blocking=False):
                return portions
            if self._stopped.is_set():
                self._waiting.release()
                return portions
            portions.append(self._pop())

    def _pop(self) -> Portion:
        # The semaphore counts both, so one of them has something.
        try:
            return self._due.popleft()
        except IndexError:
            return self._looks.popleft()

    def _send(self, portions: list[Portion]) -> None:
        if self.away or self._offset_ms is None or not self._may_send():
            self._hold(portions)
            return
        now_ms = self.now_ms()
        begun = [(each, each.begin(now_ms)) for each in portions]
        for looks_first in (False, True):
            turns = [(p, r) for p, r in begun if r is not None and r.looks_first == looks_first]
            try:
                self._make(turns, looks_first)
            except NotNow:
                self._keep(turns)
            except RedisError as error:
                self._keep(turns)
                self._fail(turns, error)

    def _make(self, turns: list[Turn], looks_first: bool) -> None:
        # Mostly one batch; more when a single portion is larger than that.
        size, batch = 0, list[tuple[Turn, Move]]()
        for portion, round_ in turns:
            for keys in batches(portion.keys):
                batch.append(((portion, round_), Move(keys, round_.end_ms)))
                size += len(keys)
                if size >= conf.RENEWAL_BATCH_KEYS:
                    self._exchange(batch, looks_first)
                    size, batch = 0, []
        if batch:
            self._exchange(batch, looks_first)

    def _exchange(self, batch: list[tuple[Turn, Move]], looks_first: bool) -> None:
        if looks_first:
            found = self._extender.lacking([move for _, move in batch], self._ensure)
            lacking: list[tuple[Turn, Move]] = []
            for (turn, move), outcomes in zip(batch, found, strict=True):
                needed = turn[0].note_look(move.keys, outcomes, self._figures)
                if needed:
                    lacking.append((turn, Move(needed, move.end_ms)))
            batch = lacking
        if batch:
            results = self._extender.extend([move for _, move in batch], self._ensure)
            now_ms = self.now_ms()
            for ((portion, round_), move), outcomes in zip(batch, results, strict=True):
                portion.note(round_, move.keys, outcomes, now_ms, self._figures)

    def _ensure(self) -> None:
        if not self._may_send():
            raise NotNow

    def _keep(self, turns: list[Turn]) -> None:
        for portion, round_ in turns:
            portion.give_back(round_)
        self._hold([portion for portion, _ in turns])

    def _hold(self, portions: list[Portion]) -> None:
        for portion in portions:
            if not portion.is_held:
                portion.is_held = True
                self._held.append(portion)

    def _fail(self, turns: list[Turn], error: RedisError) -> None:
        for portion, _ in turns:
            portion.note_failure(str(error), self._figures)
        if not self.away:
            logger.warning("Redis %s is away: %s", self.name, error)
        self.away = str(error) or type(error).__name__

    # --- Watching ------------------------------------------------------------------------

    def _watch(self) -> None:
        read_monotonic = 0.0
        while True:
            if self.away or time.monotonic() - read_monotonic >= CLOCK_SECONDS:
                try:
                    self._read_clock()
                except RedisError as error:
                    if not self.away:
                        logger.warning("Redis %s is away: %s", self.name, error)
                    self.away = str(error) or type(error).__name__
                else:
                    read_monotonic = time.monotonic()
                    if self.away:
                        logger.warning("Redis %s answers again", self.name)
                        self.away = ""
            if not self.away and self._may_send():
                self._send_held()
            if self._stopped.wait(conf.RENEWAL_WATCH_SECONDS):
                return

    def _read_clock(self) -> None:
        readings: list[tuple[float, float]] = []
        for _ in range(CLOCK_READINGS):
            asked = time.monotonic() * 1000
            seconds, micros = self.client.time()
            answered = time.monotonic() * 1000
            offset = seconds * 1000 + micros / 1000 - (asked + answered) / 2
            readings.append((answered - asked, offset))
        round_trip, offset = min(readings)
        before, self._offset_ms = self._offset_ms, offset
        if before is not None and abs(offset - before) > CLOCK_JUMP_MS + round_trip:
            logger.warning("The clock of Redis %s moved by %d ms", self.name, offset - before)
            self._on_clock_jump(self)

    def _send_held(self) -> None:
        # Some rounds may have been made by others meanwhile: look, then renew what lacks it.
        for _ in range(len(self._held)):
            portion = self._held.popleft()
            portion.looks_first = True
            portion.is_held = False
            self._looks.append(portion)
            self._waiting.release()
