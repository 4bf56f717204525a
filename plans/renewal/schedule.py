"""When which keys of one renewal are due, and which end each round gives them.

Ends are computed, never measured: the end that a round gives a key is when the round was *due*
plus the TTL, in milliseconds of Redis's own clock. So every process computes the same number for
the same round, and Redis, asked to move an end only further away, takes it once: a second process,
or one that was frozen and sends late, changes nothing.
"""

import zlib
from dataclasses import dataclass

from plans.renewal.interval import Interval
from plans.renewal.ttl import Ttl

PART_MS = 50
"""Keys whose rounds are due within so long of each other are due together."""
PARTS_MAX = 1000


@dataclass(frozen=True)
class Schedule:
    """`anchor_ms` is when the renewal began; `seed` tells renewals apart that are jittered."""

    interval: Interval
    ttl: Ttl
    anchor_ms: int
    seed: int

    @property
    def parts(self) -> int:
        """Into how many parts the keys are divided."""
        return max(1, min(PARTS_MAX, int(self.interval.shortest_ms // PART_MS)))

    def part_of(self, key: bytes) -> int:
        """The part of `key`, the same in every process."""
        return zlib.crc32(key) % self.parts

    def due_ms(self, part: int, round_: int) -> int:
        """When a part's round is due."""
        phase = part / self.parts
        return self.anchor_ms + self.interval.due_ms(round_, phase, self.seed)

    def round_at(self, part: int, now_ms: float) -> int:
        """The last round of a part that was due by then."""
        phase = part / self.parts
        return self.interval.round_at(now_ms - self.anchor_ms, phase, self.seed)

    def end_ms(self, part: int, round_: int) -> int:
        """The end that this round gives the keys of a part."""
        return self.ttl.end_ms(self.due_ms(part, round_))

    def is_over_after(self, rounds: int, now_ms: float) -> bool:
        """Whether so many rounds of every part, the last one included, are behind us."""
        # The last part's last round may still be under way for a moment.
        last = self.interval.due_ms(rounds - 1, 1.0, self.seed) + 1000
        return now_ms - self.anchor_ms >= last
