"""Write, publish, verify, in one call; it waits in the thread of the caller."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from plans.ack.poll import Poll
from plans.ack.question import Question
from plans.ack.quorum import ALL, Quorum
from plans.ack.result import AckResult
from plans.ack.strategies import Strategy
from plans.stores.versioned import WriteResult


@dataclass(frozen=True)
class Delivery:
    """What became of the write, and of the acknowledgement; None where nothing was written."""

    write: WriteResult
    ack: AckResult | None

    @property
    def success(self) -> bool:
        return self.ack is not None and self.ack.success


def deliver(
    write: Callable[[], WriteResult],
    poll: Poll,
    question: Question,
    strategy: Strategy,
    timeout_seconds: float,
    quorum: Quorum = ALL,
) -> Delivery:
    """Write a versioned value and wait until enough instances report it.

    `write` writes and publishes (`plans.stores.versioned`). It is called again before each
    further round, so it should say `unless_held`: what was lost on the way, the notice or the
    value, is then made good. A refusal ends it at once, as a result.
    """
    written = write()
    if not written.written:
        return Delivery(written, None)
    began = time.monotonic()
    while not _has_ended(poll, question, quorum, began, timeout_seconds):
        time.sleep(_pause(strategy, poll, began, timeout_seconds))
        written = write()
        if not written.written:
            return Delivery(written, poll.result(time.monotonic() - began, quorum))
    return Delivery(written, poll.result(time.monotonic() - began, quorum))


def wait_for(
    poll: Poll,
    question: Question,
    strategy: Strategy,
    timeout_seconds: float,
    quorum: Quorum = ALL,
) -> AckResult:
    """Ask until enough instances agree or `timeout_seconds` have passed; at least one round.

    The last round may go on for as long as one question may.
    """
    began = time.monotonic()
    while not _has_ended(poll, question, quorum, began, timeout_seconds):
        time.sleep(_pause(strategy, poll, began, timeout_seconds))
    return poll.result(time.monotonic() - began, quorum)


def _has_ended(
    poll: Poll, question: Question, quorum: Quorum, began: float, timeout_seconds: float
) -> bool:
    poll.ask(question.ask, quorum=quorum, timeout_seconds=question.timeout_seconds)
    return poll.is_agreed(quorum) or time.monotonic() - began >= timeout_seconds


def _pause(strategy: Strategy, poll: Poll, began: float, timeout_seconds: float) -> float:
    left = timeout_seconds - (time.monotonic() - began)
    return max(0.0, min(strategy(poll.rounds), left))
