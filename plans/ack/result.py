"""What acknowledgement led to: for each instance, and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Reason(StrEnum):
    """Why an instance, or a delivery as a whole, is not acknowledged."""

    TIMEOUT = "TIMEOUT"
    """No answer: too late, refused, broken off."""
    MISMATCH = "MISMATCH"
    """It reports another version."""
    ERROR = "ERROR"
    """It answers, but with an error or with something that holds no version."""


class Status(StrEnum):
    """What an instance's last answer makes of it."""

    LATEST = "latest"
    OUTDATED = "outdated"
    SILENT = "silent"


@dataclass(frozen=True)
class InstanceAck:
    """What one instance last said: its version, or the code of what went wrong.

    `reason` None: it has acknowledged. `at` is when it was last asked (ISO 8601, UTC).
    """

    said: str
    reason: Reason | None
    attempts: int
    at: str = ""

    @property
    def status(self) -> Status:
        if self.reason is None:
            return Status.LATEST
        return Status.OUTDATED if self.reason is Reason.MISMATCH else Status.SILENT

    def as_json(self, *, is_live: bool = False) -> dict[str, Any]:
        """`{"said", "attempts"}`, with `reason` if there is one, with `at` while it goes on."""
        more = {"reason": self.reason.value} if self.reason else {}
        at = {"at": self.at} if is_live else {}
        return {"said": self.said, "attempts": self.attempts} | more | at

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        reason = stored.get("reason")
        return cls(
            said=stored["said"],
            reason=Reason(reason) if reason else None,
            attempts=stored["attempts"],
            at=stored.get("at", ""),
        )


@dataclass(frozen=True)
class AckResult:
    """Whether enough instances agree on the expected version, and what each of them said.

    `reason` says why not: `TIMEOUT` when some instance did not answer when it was last asked,
    else `MISMATCH` when some reported another version, else `ERROR`. `attempts` counts rounds.
    """

    success: bool
    reason: Reason | None
    attempts: int
    elapsed_seconds: float
    expected_version: str
    instances: Mapping[str, InstanceAck]

    @property
    def expected(self) -> dict[str, str]:
        """The expected version by endpoint."""
        return dict.fromkeys(self.instances, self.expected_version)

    @property
    def actual(self) -> dict[str, str | None]:
        """The version that each endpoint last reported, None where it reported none."""
        return {
            endpoint: None if instance.status is Status.SILENT else instance.said
            for endpoint, instance in self.instances.items()
        }

    @property
    def confirmed(self) -> int:
        """How many instances have acknowledged."""
        return sum(instance.reason is None for instance in self.instances.values())

    @property
    def missing(self) -> list[str]:
        """The endpoints that have not."""
        return [endpoint for endpoint, each in self.instances.items() if each.reason]

    def instances_json(self) -> dict[str, dict[str, Any]]:
        """What each instance said, by endpoint."""
        return {endpoint: each.as_json() for endpoint, each in self.instances.items()}
