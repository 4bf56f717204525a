"""Interval strategies: when the keys of a renewal are due, round by round.

A round is one renewal of every key. `phase` (0 to 1) is where in a round a key stands, so that many
keys are not due at once. Times are milliseconds since the renewal began. All is a function of its
arguments: every process comes to the same, and whoever takes over goes on in step.
"""

import math
import zlib
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0.05, le=30 * 86_400)]


class Interval(BaseModel):
    """How long it is from one renewal of a key to the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def shortest_ms(self) -> float:
        """The nominal interval, where it is shortest."""
        raise NotImplementedError

    @property
    def longest_ms(self) -> float:
        """No key ever waits longer than this from one round to the next."""
        raise NotImplementedError

    def due_ms(self, round_: int, phase: float, seed: int) -> int:
        """When round `round_` (from 0; -1 and below: before the beginning) is due."""
        raise NotImplementedError

    def round_at(self, elapsed_ms: float, phase: float, seed: int) -> int:
        """The last round that was due by then."""
        raise NotImplementedError


class FixedInterval(Interval):
    """Always the same."""

    kind: Literal["fixed"] = "fixed"
    seconds: Seconds

    @property
    def shortest_ms(self) -> float:
        return self.seconds * 1000

    @property
    def longest_ms(self) -> float:
        return self.seconds * 1000

    def due_ms(self, round_: int, phase: float, seed: int) -> int:
        return math.ceil((round_ + phase) * self.seconds * 1000)

    def round_at(self, elapsed_ms: float, phase: float, seed: int) -> int:
        guess = math.floor(elapsed_ms / (self.seconds * 1000) - phase)
        # Rounding may have put the guess on the wrong side of the edge.
        return _settled(self, guess, elapsed_ms, phase, seed)


class JitteredInterval(Interval):
    """Each time earlier by a random share, up to `jitter`, so that rounds never march in step."""

    kind: Literal["jittered"]
    seconds: Seconds
    jitter: float = Field(0.1, gt=0, le=0.9)

    @property
    def shortest_ms(self) -> float:
        return self.seconds * 1000

    @property
    def longest_ms(self) -> float:
        return self.seconds * 1000 * (1 + self.jitter)

    def due_ms(self, round_: int, phase: float, seed: int) -> int:
        # Random, and yet the same in every process.
        luck = zlib.crc32(b"%d:%d:%r" % (seed, round_, str(phase).encode())) / 2**32
        return math.ceil((round_ + phase - luck * self.jitter) * self.seconds * 1000)

    def round_at(self, elapsed_ms: float, phase: float, seed: int) -> int:
        guess = math.floor(elapsed_ms / (self.seconds * 1000) - phase)
        return _settled(self, guess, elapsed_ms, phase, seed)


class BackoffInterval(Interval):
    """Longer each time by `factor`, up to a longest one."""

    kind: Literal["backoff"]
    first_seconds: Seconds
    factor: float = Field(2.0, ge=1.05, le=100)
    max_seconds: Seconds

    @property
    def shortest_ms(self) -> float:
        return min(self.first_seconds, self.max_seconds) * 1000

    @property
    def longest_ms(self) -> float:
        return self.max_seconds * 1000

    @cached_property
    def _growing_ms(self) -> tuple[float, ...]:
        lengths = [self.shortest_ms]
        while lengths[-1] < self.longest_ms:
            lengths.append(min(lengths[-1] * self.factor, self.longest_ms))
        return tuple(lengths)

    def due_ms(self, round_: int, phase: float, seed: int) -> int:
        lengths = self._growing_ms
        if round_ < 0:
            return math.ceil((round_ + phase) * lengths[0])
        grown = lengths[:round_]
        start = sum(grown) + (round_ - len(grown)) * self.longest_ms
        return math.ceil(start + phase * lengths[min(round_, len(lengths) - 1)])

    def round_at(self, elapsed_ms: float, phase: float, seed: int) -> int:
        round_, start = 0, 0.0
        if elapsed_ms < 0:
            round_ = math.floor(elapsed_ms / self._growing_ms[0])
        else:
            for length in self._growing_ms:
                if start + length > elapsed_ms:
                    break
                start += length
                round_ += 1
            else:
                round_ += math.floor((elapsed_ms - start) / self.longest_ms)
        return _settled(self, round_, elapsed_ms, phase, seed)


def _settled(interval: Interval, guess: int, elapsed_ms: float, phase: float, seed: int) -> int:
    """The last due round next to `guess`, which is off by one or two at most."""
    while interval.due_ms(guess, phase, seed) > elapsed_ms:
        guess -= 1
    while interval.due_ms(guess + 1, phase, seed) <= elapsed_ms:
        guess += 1
    return guess


AnyInterval = Annotated[
    FixedInterval | JitteredInterval | BackoffInterval, Field(discriminator="kind")
]
