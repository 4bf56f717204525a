"""A time axis: where on it a time stands, in percent, as the drawings place things."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from plans.models import Plan

STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800)
DAY_SECONDS = 86_400
TICKS_MAX = 6
WIDTH_MIN_PERCENT = 0.25
"""Whatever was short is still seen."""


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    at: datetime
    x: str


@dataclass(frozen=True)
class Axis:
    """The time from `begin` to `end`."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, begin: datetime, end: datetime) -> "Axis":
        """At least a second long."""
        return cls(begin, max(end, begin + timedelta(seconds=1)))

    @classmethod
    def of_plan(cls, plan: Plan, now: datetime) -> "Axis":
        """From the plan's start to its end, or a little after now.

        Now is rounded up, so that an open page is not redrawn all the time.
        """
        begin = plan.started_at or plan.created_at
        if plan.finished_at is not None:
            return cls.of(begin, plan.finished_at)
        return cls.of(begin, rounded_up(begin, now))

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()

    def x(self, at: datetime) -> float:
        """The place of `at`: 0 to 100."""
        share = (at - self.begin).total_seconds() / self.seconds
        return 100 * min(1.0, max(0.0, share))

    def span(self, begin: datetime, end: datetime) -> tuple[str, str]:
        """The place and the width of what lasted from `begin` to `end`, as SVG wants them."""
        x, to = self.x(begin), self.x(end)
        width = max(WIDTH_MIN_PERCENT, to - x)
        return f"{min(x, 100 - width):.2f}", f"{width:.2f}"

    @property
    def ticks(self) -> list[Tick]:
        """Round times on it, at most `TICKS_MAX`."""
        step = next((s for s in STEPS_SECONDS if self.seconds / s <= TICKS_MAX), DAY_SECONDS)
        while self.seconds / step > TICKS_MAX:
            step *= 2
        first = -(-self.begin.timestamp() // step) * step
        found, at = [], first
        while at <= self.end.timestamp():
            moment = datetime.fromtimestamp(at, self.begin.tzinfo)
            found.append(Tick(moment, f"{self.x(moment):.2f}"))
            at += step
        # What stands at the very edge would be cut off.
        return [tick for tick in found if 3 <= float(tick.x) <= 94]

    @property
    def shows_days(self) -> bool:
        """Whether a time alone would not say which day is meant."""
        return self.seconds > DAY_SECONDS


def rounded_up(begin: datetime, now: datetime) -> datetime:
    """`now`, or a little later: by a hundredth of the time since `begin`, in whole seconds."""
    passed = max(0.0, (now - begin).total_seconds())
    step = step_seconds(passed)
    return begin + timedelta(seconds=-(-passed // step) * step)


def step_seconds(passed: float) -> int:
    """How far a plan's axis grows at once, when it is `passed` seconds long."""
    return next((step for step in STEPS_SECONDS if passed / step <= 100), DAY_SECONDS)
