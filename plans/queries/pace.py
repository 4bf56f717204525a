"""How fast a plan's tenants come to an end, and when the others will have, from the ends so far."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import CharField, Count
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from plans.models import MOVING_PLAN_STATES, Decision, Plan, PlanState, Task, TaskState, Wave

BARS = 60
"""Parts of the plan's time whose ends are counted together."""
RECENT_ENDS = 30
"""So many ends say how fast it goes now: enough to be steady, few enough to follow a change."""
ENDS_MIN = 5
"""With fewer ends an estimate would be a guess."""
AVERAGED_MIN = 2
"""A single end has no pace."""
_FIRST_SECOND = "0001-01-01 00:00:00"
_CHARS = ((600, 19, 1), (36_000, 16, 60), (360_000, 15, 600), (math.inf, 13, 3600))
"""Up to how many seconds a plan takes, how many characters of a time tell its ends apart, and how
many seconds have those in common."""
_BACKWARD = (TaskState.ROLLED_BACK, TaskState.ROLLBACK_FAILED)


@dataclass(frozen=True)
class Ends:
    """How many tasks ended when, the earliest first."""

    counted: list[tuple[datetime, int]]
    width_seconds: int = 1

    @classmethod
    def of(cls, plan: Plan, end: datetime) -> "Ends":
        """Those of `plan`; one statement, whose answer does not grow with the plan's size."""
        if plan.started_at is None:
            return cls([])
        tasks = Task.objects.filter(plan=plan, finished_at__gte=plan.started_at)
        if plan.state == PlanState.ROLLING_BACK:
            tasks = tasks.filter(state__in=_BACKWARD)
        took = (end - plan.started_at).total_seconds()
        chars, width = next((chars, width) for most, chars, width in _CHARS if took <= most)
        # Both databases write a time so, in UTC, and group texts faster than they take times apart.
        at = Substr(Cast("finished_at", CharField()), 1, chars)
        rows = tasks.order_by().annotate(at=at).values_list("at").annotate(count=Count("pk"))
        return cls(sorted((_time_of(text), count) for text, count in rows), width)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counted)

    def bars(self, begin: datetime, end: datetime, until: datetime) -> list[int]:
        """The ends in each of `BARS` equal parts of the time from `begin` to `end`.

        Only those before `until`: a part that is still filling up would change all the time.
        """
        found = [0] * BARS
        width = max(1.0, (end - begin).total_seconds()) / BARS
        for at, count in self.counted:
            if at + timedelta(seconds=self.width_seconds) > until:
                break
            place = int((at - begin).total_seconds() / width)
            found[min(BARS - 1, max(0, place))] += count
        return found

    def recent(self, now: datetime, since: datetime) -> tuple[int, float]:
        """The newest ends since `since`, about `RECENT_ENDS`, and the seconds up to now."""
        number, first = 0, now
        for at, count in reversed(self.counted):
            if number >= RECENT_ENDS or at < since - timedelta(seconds=1):
                break
            number, first = number + count, max(at, since)
        return number, max(1.0, (now - first).total_seconds())


@dataclass(frozen=True)
class Pace:
    """`per_minute`: tenants that end in a minute, now or, of a plan at its end, on average.

    The rest will have ended in `low_seconds` to `high_seconds`, soaks ahead included, but not the
    time that `approvals` take. None: nothing can be said.
    """

    per_minute: float | None = None
    low_seconds: float | None = None
    high_seconds: float | None = None
    approvals: int = 0

    @property
    def is_known(self) -> bool:
        """Whether there is an estimate."""
        return self.low_seconds is not None


def pace_of(
    plan: Plan,
    waves: Sequence[Wave],
    ends: Ends,
    left: int,
    is_held: bool,
    now: datetime | None = None,
) -> Pace:
    """The pace of `plan`, of whose tasks `left` have not ended; `is_held`: nothing is handed out.

    The number of ends in a span scatters by its root, hence the range. Runs no statement.
    """
    if plan.started_at is None or not ends.counted:
        return Pace()
    if plan.finished_at is not None:
        if ends.total < AVERAGED_MIN:
            return Pace()
        took = (plan.finished_at - plan.started_at).total_seconds()
        return Pace(60 * ends.total / max(1.0, took))
    now = now or timezone.now()
    since = next(
        (wave.started_at for wave in waves if wave.index == plan.current_wave), plan.started_at
    )
    if plan.state == PlanState.ROLLING_BACK:
        since = plan.started_at
    number, seconds = ends.recent(now, since or plan.started_at)
    rate = number / seconds
    if plan.state not in MOVING_PLAN_STATES or is_held or number < ENDS_MIN or not left:
        return Pace(60 * rate if number else None)
    scatter = 1 / math.sqrt(number)
    soak, approvals = _gates_ahead(plan, waves, now)
    return Pace(
        60 * rate,
        left / (rate * (1 + scatter)) + soak,
        left / (rate * (1 - scatter)) + soak,
        approvals,
    )


def _gates_ahead(plan: Plan, waves: Sequence[Wave], now: datetime) -> tuple[float, int]:
    """The seconds that the gates ahead soak, and how many of them want approval."""
    if plan.state == PlanState.ROLLING_BACK:
        return 0.0, 0
    seconds, approvals = 0.0, 0
    for wave in waves[:-1]:
        if not wave.has_gate or wave.gate_opened_at is not None:
            continue
        if wave.soak_until is not None:
            seconds += max(0.0, (wave.soak_until - now).total_seconds())
        else:
            seconds += wave.soak_seconds
        approvals += wave.approval and wave.decision != Decision.APPROVED
    return seconds, approvals


def _time_of(text: str) -> datetime:
    """The beginning of the span whose times all begin with `text`."""
    whole = text + _FIRST_SECOND[len(text) :]
    return datetime.fromisoformat(whole).replace(tzinfo=UTC)
