"""A portion: those keys of one renewal that are due together."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import ResponseError

from plans import conf
from plans.renewal.extender import KeyOutcome, Result
from plans.renewal.figures import Figures, Tally

if TYPE_CHECKING:
    from plans.renewal.holding import Holding

_lock = threading.Lock()


@dataclass(frozen=True)
class Round:
    """One round of a portion that somebody is to make, with the end that it gives.

    `due_ms`: since when the keys wait for it, None if nobody knows.
    """

    number: int
    end_ms: int
    due_ms: int | None
    looks_first: bool


class Portion:
    """One part of a renewal's keys, and which rounds of it were made.

    `is_waiting`: it is due, and its sending was not begun yet; `is_held`: nor can it be, because
    Redis is away. `looks_first`: others may have made
    its round already, so only what lacks it is renewed.
    """

    __slots__ = (
        "_due_ms",
        "_due_round",
        "_made",
        "holding",
        "is_held",
        "is_waiting",
        "keys",
        "looks_first",
        "part",
    )

    def __init__(self, holding: "Holding", part: int, keys: tuple[bytes, ...]) -> None:
        self.holding = holding
        self.part = part
        self.keys = keys
        self.is_waiting = False
        self.is_held = False
        self.looks_first = True
        self._due_ms: int | None = None
        self._due_round: int | None = None
        self._made: int | None = None

    def call(self, round_: int, due_ms: int) -> None:
        """The wheel says that a round is due."""
        with _lock:
            self._due_round = round_
            if self._due_ms is None:
                self._due_ms = due_ms

    def begin(self, now_ms: float) -> Round | None:
        """Take the newest round that is due; None if that was taken before.

        This keeps two threads of a process from making one round twice.
        """
        schedule = self.holding.schedule
        with _lock:
            self.is_waiting = False
            due_ms, self._due_ms = self._due_ms, None
            if self.holding.is_closed or not self.keys:
                return None
            number = schedule.round_at(self.part, now_ms)
            if self._due_round is not None:
                # By Redis's clock as it is read now it may be a millisecond early.
                number = max(number, self._due_round)
            is_new = self._made is None or number > self._made or self.looks_first
            if not is_new or self.holding.is_beyond_count(number):
                return None
            self._made = number
            looks_first, self.looks_first = self.looks_first, False
        return Round(number, schedule.end_ms(self.part, number), due_ms, looks_first)

    def give_back(self, round_: Round) -> None:
        """The round was not made, or nobody knows; the portion waits for it again."""
        with _lock:
            self.is_waiting = self.looks_first = True
            self._made = None
            if round_.due_ms is not None:
                self._due_ms = round_.due_ms

    def begin_anew(self) -> None:
        """Forget all rounds: Redis's clock became another one."""
        with _lock:
            self._due_round = self._due_ms = self._made = None
            self.looks_first = True

    def note(
        self,
        round_: Round,
        keys: Sequence[bytes],
        outcomes: list[Result],
        now_ms: float,
        figures: Figures,
    ) -> None:
        """Count what became of `keys`."""
        renewed = outcomes.count(KeyOutcome.RENEWED)
        tally = Tally(renewed)
        if renewed < len(outcomes):
            self._note_exceptions(keys, outcomes, tally)
        late_ms = 0.0 if round_.due_ms is None else max(0.0, now_ms - round_.due_ms)
        if late_ms > conf.RENEWAL_LATE_SECONDS * 1000:
            tally.late = renewed
        self._count(tally, late_ms, figures)

    def note_look(
        self, keys: Sequence[bytes], outcomes: list[Result], figures: Figures
    ) -> list[bytes]:
        """Count the keys that cannot be renewed; those that lack the end of the round."""
        tally = Tally()
        self._note_exceptions(keys, outcomes, tally)
        tally.skipped -= outcomes.count(KeyOutcome.KEPT)  # Nothing was asked for them.
        self._count(tally, 0.0, figures)
        found = zip(keys, outcomes, strict=True)
        return [key for key, outcome in found if outcome == KeyOutcome.RENEWED]

    def note_failure(self, cause: str, figures: Figures) -> None:
        """Count all keys as failed."""
        self.holding.last_error = cause
        self._count(Tally(failed=len(self.keys)), 0.0, figures)

    def _count(self, tally: Tally, late_ms: float, figures: Figures) -> None:
        figures.note(tally, late_ms)
        self.holding.note(tally)

    def _note_exceptions(self, keys: Sequence[bytes], outcomes: list[Result], tally: Tally) -> None:
        gone: set[bytes] = set()
        for key, outcome in zip(keys, outcomes, strict=True):
            if isinstance(outcome, ResponseError):
                tally.failed += 1
                self.holding.last_error = f"{key.decode(errors='replace')}: {outcome}"
            elif outcome != KeyOutcome.RENEWED:
                tally.skipped += 1
                if outcome == KeyOutcome.GONE:
                    gone.add(key)
        if gone and self.holding.lets_gone_keys_go:
            with _lock:
                self.keys = tuple(key for key in self.keys if key not in gone)
