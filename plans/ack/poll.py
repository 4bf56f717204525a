"""Rounds of questions: all instances at once, and again those that have not acknowledged."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from plans.ack.quorum import ALL, Quorum
from plans.ack.result import AckResult, InstanceAck, Reason
from plans.clients.instances import ask_all
from plans.errors import ServiceTimeout, ServiceUnreachable, StageError

NO_ANSWER = (ServiceTimeout, ServiceUnreachable)
NOT_YET = InstanceAck(said="", reason=Reason.TIMEOUT, attempts=0)


@dataclass
class Poll:
    """Where a delivery stands between two rounds; `as_json` and `from_json` keep it."""

    expected: str
    endpoints: tuple[str, ...]
    rounds: int = 0
    instances: dict[str, InstanceAck] = field(default_factory=dict)

    @classmethod
    def of(cls, endpoints: Iterable[str], expected: str) -> Self:
        """Nobody has been asked yet. An endpoint that is named twice is one."""
        return cls(expected, tuple(dict.fromkeys(endpoints)))

    def as_json(self) -> dict[str, Any]:
        """`{"expected", "rounds", "instances": {endpoint: {"said", "attempts", "at", …}}}`."""
        return {
            "expected": self.expected,
            "rounds": self.rounds,
            "instances": {
                endpoint: instance.as_json(is_live=True)
                for endpoint, instance in self.instances.items()
            },
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], endpoints: Iterable[str]) -> Self:
        """Go on where `as_json` left off."""
        kept = stored["instances"].items()
        instances = {endpoint: InstanceAck.from_json(each) for endpoint, each in kept}
        return cls(stored["expected"], tuple(dict.fromkeys(endpoints)), stored["rounds"], instances)

    @property
    def missing(self) -> list[str]:
        """The endpoints that have not acknowledged."""
        return [each for each in self.endpoints if self._of(each).reason]

    @property
    def confirmed(self) -> int:
        """How many have."""
        return len(self.endpoints) - len(self.missing)

    def is_agreed(self, quorum: Quorum = ALL) -> bool:
        """Whether as many have acknowledged as must."""
        return self.confirmed >= quorum.needed(len(self.endpoints))

    def ask(
        self,
        ask: Callable[[str], str],
        *,
        quorum: Quorum = ALL,
        timeout_seconds: float | None = None,
    ) -> None:
        """One round: ask those that have not acknowledged, all at once.

        It takes as long as the slowest of them (`ask_all`), or, where not all must agree, until
        enough do. `ask` returns a version or raises a `StageError`; other exceptions come through.
        """
        left = quorum.needed(len(self.endpoints)) - self.confirmed
        at = datetime.now(UTC).isoformat(timespec="seconds")

        def is_enough(answer: str | StageError) -> bool:
            nonlocal left
            left -= self._reason(answer) is None
            return left <= 0

        asked = self.missing
        answers = ask_all(
            asked, ask, timeout_seconds, is_enough=None if quorum.is_all else is_enough
        )
        self.rounds += 1
        for endpoint in asked:
            before = self._of(endpoint)
            # Who had not answered when enough had is as it was, but asked once more.
            answer = answers.get(endpoint)
            self.instances[endpoint] = InstanceAck(
                said=before.said if answer is None else _said(answer),
                reason=before.reason if answer is None else self._reason(answer),
                attempts=before.attempts + 1,
                at=at,
            )

    def result(self, elapsed_seconds: float, quorum: Quorum = ALL) -> AckResult:
        """What it has led to so far; as a verdict it is meant for the end."""
        instances = {endpoint: self._of(endpoint) for endpoint in self.endpoints}
        reasons = {each.reason for each in instances.values()}
        why_not = next((reason for reason in Reason if reason in reasons), None)
        success = self.is_agreed(quorum)
        return AckResult(
            success=success,
            reason=None if success else why_not,
            attempts=self.rounds,
            elapsed_seconds=round(elapsed_seconds, 3),
            expected_version=self.expected,
            instances=instances,
        )

    def _of(self, endpoint: str) -> InstanceAck:
        return self.instances.get(endpoint, NOT_YET)

    def _reason(self, answer: str | StageError) -> Reason | None:
        if isinstance(answer, StageError):
            return Reason.TIMEOUT if isinstance(answer, NO_ANSWER) else Reason.ERROR
        if not _is_number(self.expected):
            return None if answer == self.expected else Reason.MISMATCH
        if not _is_number(answer):
            return Reason.ERROR  # Where a number is expected, anything else is garbage.
        return None if answer.lstrip("0") == self.expected.lstrip("0") else Reason.MISMATCH


def _said(answer: str | StageError) -> str:
    return answer.code if isinstance(answer, StageError) else answer


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
