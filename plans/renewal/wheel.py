"""A hashed timing wheel in levels: what is due, at one price for a thousand timers or a million.

Time is cut into ticks. The first level has a slot for each of the next 4,096 ticks; a slot of a
higher level covers a whole turn of the one below, into which it is emptied when its time comes. So
a timer is moved at most three times, whatever the number of the others. The wheel has no clock and
no thread: its owner says what time it is, in seconds of one clock that never goes back.
"""

import math
from typing import Generic, NewType, TypeVar

Payload = TypeVar("Payload")

Timer = NewType("Timer", int)
"""A scheduled payload, to cancel it. A number, because a million objects would be garbage that
Python's collector looks through again and again; its upper bits are the tick."""

BITS = (12, 6, 6, 6)
"""Slots of each level, as powers of two: 41 s, 44 min, 47 h and 124 days of ticks of 10 ms."""
SHIFTS = tuple(sum(BITS[:level]) for level in range(len(BITS)))
SPANS = tuple(1 << (shift + bits) for shift, bits in zip(SHIFTS, BITS, strict=True))
TURN = SPANS[0]
TURN_MASK = TURN - 1
NUMBER_BITS = 40
NUMBER_MASK = (1 << NUMBER_BITS) - 1


class TimingWheel(Generic[Payload]):
    """Timers that are due at a time, never early and at most one tick late."""

    def __init__(self, tick_seconds: float = 0.01, now_seconds: float = 0.0) -> None:
        self._tick_seconds = tick_seconds
        self._tick = math.floor(now_seconds / tick_seconds)
        self._levels: list[list[dict[int, Payload]]] = [
            [{} for _ in range(1 << bits)] for bits in BITS
        ]
        self._turn = self._levels[0]
        self._count = 0
        self._number = 0

    def __len__(self) -> int:
        """How many timers are scheduled."""
        return self._count

    def schedule(self, due_seconds: float, payload: Payload) -> Timer:
        """Have `payload` expire at `due_seconds`, or with the next tick if that is past."""
        tick = math.ceil(due_seconds / self._tick_seconds)
        now = self._tick
        if tick <= now:
            tick = now + 1
        self._number = number = (self._number + 1) & NUMBER_MASK
        self._count += 1
        timer = (tick << NUMBER_BITS) + number
        if tick - now < TURN:
            self._turn[tick & TURN_MASK][timer] = payload
        else:
            self._place(timer, payload)
        return Timer(timer)

    def cancel(self, timer: Timer) -> bool:
        """Let `timer` never expire; False if it has, or was cancelled before."""
        tick = timer >> NUMBER_BITS
        if tick <= self._tick:
            return False
        # In which level it stands depends on when it was placed there.
        for slots, shift in zip(self._levels, SHIFTS, strict=True):
            slot = slots[(tick >> shift) & (len(slots) - 1)]
            if timer in slot:
                del slot[timer]
                self._count -= 1
                return True
        return self._cancel_far(timer)

    def advance(self, now_seconds: float) -> list[Payload]:
        """Everything that is due at `now_seconds` and was not given out yet, earliest first."""
        due: list[Payload] = []
        last = math.floor(now_seconds / self._tick_seconds)
        turn = self._turn
        for tick in range(self._tick + 1, last + 1):
            place = tick & TURN_MASK
            if not place:
                self._tick = tick
                self._empty_higher_slots(tick)
            if turn[place]:
                due += turn[place].values()
                turn[place] = {}
        self._tick = max(self._tick, last)
        self._count -= len(due)
        return due

    def _place(self, timer: int, payload: Payload) -> None:
        tick, now = timer >> NUMBER_BITS, self._tick
        level = next((n for n, span in enumerate(SPANS) if tick - now < span), None)
        if level is None:
            # Further away than the wheel reaches: as far as it does, and placed again from there.
            level, tick = len(SPANS) - 1, now + SPANS[-1] - 1
        slots = self._levels[level]
        slots[(tick >> SHIFTS[level]) & (len(slots) - 1)][timer] = payload

    def _empty_higher_slots(self, tick: int) -> None:
        for level in range(1, len(BITS)):
            slots = self._levels[level]
            place = (tick >> SHIFTS[level]) & (len(slots) - 1)
            timers, slots[place] = slots[place], {}
            for timer, payload in timers.items():
                self._place(timer, payload)
            if place:
                return

    def _cancel_far(self, timer: Timer) -> bool:
        """One that was further away than the wheel reaches may stand in any of the last slots."""
        for slot in self._levels[-1]:
            if timer in slot:
                del slot[timer]
                self._count -= 1
                return True
        return False
