"""The one bar: shares of a whole, by state, in the order in which work goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from plans.models import TaskState

ORDER = (
    TaskState.COMPLETED,
    TaskState.RUNNING,
    TaskState.PAUSED,
    TaskState.ROLLING_BACK,
    TaskState.FAILED,
    TaskState.ROLLBACK_FAILED,
    TaskState.ROLLED_BACK,
    TaskState.CANCELLED,
    TaskState.PENDING,
)
SHARE_MIN_PERCENT = 0.6
"""A single failed tenant of thousands is still seen."""


@dataclass(frozen=True)
class Segment:
    """A part of the bar; `x` and `width` are percentages of it."""

    state: TaskState
    count: int
    x: str
    width: str

    @property
    def shape(self) -> str:
        """The name of the state's colour and pattern."""
        return str(self.state.value).lower()


def segments(by_state: Mapping[str, int]) -> list[Segment]:
    """The segments of the states that occur; together they fill the bar."""
    present = [(state, by_state[state]) for state in ORDER if by_state.get(state)]
    total = sum(count for _, count in present)
    shares = [max(SHARE_MIN_PERCENT, 100 * count / total) for _, count in present]
    scale = 100 / sum(shares) if shares else 1.0
    found, x = [], 0.0
    for (state, count), share in zip(present, shares, strict=True):
        found.append(Segment(state, count, f"{x:.3f}", f"{share * scale:.3f}"))
        x += share * scale
    return found
