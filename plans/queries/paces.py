"""The pace of several plans at once, for pages that show it often."""

import time
from collections.abc import Iterable

from django.utils import timezone

from plans.models import Plan
from plans.queries.pace import Ends, Pace, pace_of
from plans.queries.plan_list import PlanRow

FRESH_SECONDS = 3.0
"""An estimate of minutes may be so old; frames are made several times a second."""

_known: dict[tuple[object, ...], tuple[float, Pace]] = {}


def paces_of(rows: Iterable[PlanRow]) -> dict[int, Pace]:
    """By plan id; at most two statements a plan every few seconds."""
    now = time.monotonic()
    # A copy, made at once, which a list of its items is not: other requests add to it meanwhile.
    for key in [key for key, (at, _) in _known.copy().items() if now - at > FRESH_SECONDS]:
        _known.pop(key, None)
    return {row.plan.pk: _pace(row, now) for row in rows if row.is_live}


def _pace(row: PlanRow, now: float) -> Pace:
    plan = row.plan
    key = (plan.pk, plan.started_at, plan.state, plan.halt is None)
    found = _known.get(key)
    if found is None:
        found = _known[key] = (now, _read(plan, row.total - row.done - row.failed))
    return found[1]


def _read(plan: Plan, left: int) -> Pace:
    ends = Ends.of(plan, timezone.now())
    return pace_of(plan, list(plan.waves.all()), ends, left, plan.halt is not None)
