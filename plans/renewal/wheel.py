"""A hashed timing wheel in levels: what is due, at one price for a thousand timers or a million.

Time is cut into ticks. The first level has a slot for each of the next 4,096 ticks; a slot of a
higher level covers a whole turn of the one below, into which it is emptied when its time comes. So
a timer is moved at most three times, whatever the number of the others. The wheel has no clock and
no thread: its owner says what time it is, in seconds of one clock that never goes back.
"""

import math
from typing import Generic, TypeVar

Payload = TypeVar("Payload")

BITS = (12, 6, 6, 6)
"""Slots of each level, as powers of two: 41 s, 44 min, 47 h and 124 days of ticks of 10 ms."""
SHIFTS = tuple(sum(BITS[:level]) for level in range(len(BITS)))
SPANS = tuple(1 << (shift + bits) for shift, bits in zip(SHIFTS, BITS, strict=True))
TURN = SPANS[0]
TURN_MASK = TURN - 1
SWEEP_MIN = 1000


class Timer(Generic[Payload]):
    """A scheduled payload; keep it to cancel it."""

    __slots__ = ("is_cancelled", "payload", "tick")

    def __init__(self, tick: int, payload: Payload) -> None:
        self.tick = tick
        self.payload = payload
        self.is_cancelled = False


class TimingWheel(Generic[Payload]):
    """Timers that are due at a time, never early and at most one tick late."""

    def __init__(self, tick_seconds: float = 0.01, now_seconds: float = 0.0) -> None:
        self._tick_seconds = tick_seconds
        self._tick = math.floor(now_seconds / tick_seconds)
        self._levels: list[list[list[Timer[Payload]]]] = [
            [[] for _ in range(1 << bits)] for bits in BITS
        ]
        self._turn = self._levels[0]
        self._live = 0
        self._cancelled = 0

    def __len__(self) -> int:
        """How many timers are scheduled."""
        return self._live

    def schedule(self, due_seconds: float, payload: Payload) -> Timer[Payload]:
        """Have `payload` expire at `due_seconds`, or with the next tick if that is past."""
        tick = math.ceil(due_seconds / self._tick_seconds)
        now = self._tick
        if tick <= now:
            tick = now + 1
        timer = Timer(tick, payload)
        self._live += 1
        if tick - now < TURN:
            self._turn[tick & TURN_MASK].append(timer)
        else:
            self._place(timer)
        return timer

    def cancel(self, timer: Timer[Payload]) -> bool:
        """Let `timer` never expire; False if it has, or was cancelled before."""
        if timer.is_cancelled or timer.tick <= self._tick:
            return False
        # It stays in its slot until that comes up, or until the cancelled are the majority.
        timer.is_cancelled = True
        self._live -= 1
        self._cancelled += 1
        if self._cancelled > SWEEP_MIN and self._cancelled > self._live:
            self._sweep()
        return True

    def advance(self, now_seconds: float) -> list[Payload]:
        """Everything that is due at `now_seconds` and was not given out yet, earliest first."""
        due: list[Payload] = []
        last = math.floor(now_seconds / self._tick_seconds)
        turn = self._turn
        while self._tick < last:
            self._tick = tick = self._tick + 1
            place = tick & TURN_MASK
            if not place:
                self._empty_higher_slots(tick)
            slot = turn[place]
            if slot:
                turn[place] = []
                if self._cancelled:
                    live = [timer.payload for timer in slot if not timer.is_cancelled]
                    self._cancelled -= len(slot) - len(live)
                else:
                    live = [timer.payload for timer in slot]
                self._live -= len(live)
                due += live
        return due

    def _place(self, timer: Timer[Payload]) -> None:
        tick, now = timer.tick, self._tick
        level = next((n for n, span in enumerate(SPANS) if tick - now < span), None)
        if level is None:
            # Further away than the wheel reaches: as far as it does, and placed again from there.
            level, tick = len(SPANS) - 1, now + SPANS[-1] - 1
        slots = self._levels[level]
        slots[(tick >> SHIFTS[level]) & (len(slots) - 1)].append(timer)

    def _empty_higher_slots(self, tick: int) -> None:
        for level in range(1, len(BITS)):
            slots = self._levels[level]
            place = (tick >> SHIFTS[level]) & (len(slots) - 1)
            timers, slots[place] = slots[place], []
            for timer in timers:
                if timer.is_cancelled:
                    self._cancelled -= 1
                elif timer.tick == tick:
                    self._turn[tick & TURN_MASK].append(timer)
                else:
                    self._place(timer)
            if place:
                return

    def _sweep(self) -> None:
        for slots in self._levels:
            for place, slot in enumerate(slots):
                if slot:
                    slots[place] = [timer for timer in slot if not timer.is_cancelled]
        self._cancelled = 0
