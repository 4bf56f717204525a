"""How long between two rounds of questions.

A strategy is a function from the number of rounds so far (1, 2, …) to seconds; one's own is as
good as these.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

Strategy = Callable[[int], float]
DOUBLINGS_MAX = 64


@dataclass(frozen=True)
class Fixed:
    """Always the same."""

    seconds: float

    def __call__(self, rounds: int) -> float:
        return self.seconds


@dataclass(frozen=True)
class Exponential:
    """Twice as long each time, up to a cap.

    With full jitter it is anything between nothing and that, so that many who began together
    do not stay together.
    """

    first_seconds: float
    max_seconds: float
    full_jitter: bool = False

    def __call__(self, rounds: int) -> float:
        # A power with thousands of digits would not fit into a float.
        doubled = self.first_seconds * 2 ** min(max(rounds, 1) - 1, DOUBLINGS_MAX)
        longest = min(doubled, self.max_seconds)
        return random.uniform(0.0, longest) if self.full_jitter else longest
