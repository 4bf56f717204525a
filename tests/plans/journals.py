"""Readings of journals, as an auditor makes them."""

from collections import Counter
from typing import Any

from django.db.models import Q

from plans.models import Event, Journal, Plan, Task
from plans.models.journal import GENESIS
from plans.queries import replay, wall
from plans.queries.condition import Condition
from plans.queries.tally import Tally

AT_WORK = {Condition.QUEUED, Condition.CALLED, Condition.WAITING, Condition.STOPPING}
"""What a running task is about exactly is no event: slots are given and polls made without."""


def assert_journals_hold(after_plan: int = 0) -> None:
    """Every journal (of later plans) is gapless and chained, and its head tells its end."""
    later = Q(plan=None) | Q(plan__gt=after_plan)
    for journal in Journal.objects.filter(later):
        last_hash = GENESIS
        seqs = []
        for event in Event.objects.filter(journal=journal).order_by("seq"):
            seqs.append(event.seq)
            last_hash = event.chained_hash(last_hash)
            assert event.hash == last_hash, f"the chain is broken at {event}"
        assert seqs == list(range(1, len(seqs) + 1)), f"{journal} has gaps"
        assert (journal.last_seq, journal.last_hash) == (len(seqs), last_hash)


def assert_replay_gives_the_present(after_plan: int = 0) -> None:
    """The events alone tell the state of every plan and task, each step from where it stood."""
    told: dict[tuple[str, int | None], str] = {}
    for event in Event.objects.filter(plan__gt=after_plan).order_by("journal", "seq"):
        if not event.to_state:
            continue
        row = ("task", event.task_id) if event.task_id else ("plan", event.plan_id)
        if event.from_state:
            assert told[row] == event.from_state, f"{event} begins where nothing stood"
        told[row] = event.to_state
    plans = Plan.objects.filter(pk__gt=after_plan).values_list("pk", "state")
    tasks = Task.objects.filter(plan__gt=after_plan).values_list("pk", "state")
    present: dict[tuple[str, Any], str] = {
        **{("plan", key): state for key, state in plans},
        **{("task", key): state for key, state in tasks},
    }
    assert told == present


def assert_replay_shows_the_present(plan: Plan, *, whole: bool = True) -> None:
    """The last moment of the replay is the plan as its rows have it: wall, counts, stages.

    `whole` with where the tenants are, which is no news of this plan where another one, or a
    worker that died before it could say so, has moved them since.
    """
    plan = Plan.objects.select_related("journal").get(pk=plan.pk)
    moment = replay.moment_at(plan, None)
    assert moment.state == plan.state
    told, present = (
        [_about(row, whole) for row in rows]
        for rows in (replay.wall_rows(moment), wall.plan_rows(plan))
    )
    assert told == present
    assert _counted(moment.tally) == _counted(Tally.of(plan))


def _about(row: wall.WallRow, whole: bool) -> wall.WallRow:
    if row.condition in AT_WORK:
        row = row._replace(condition=Condition.RUNNING)
    return row if whole else row._replace(environment="")


def _counted(tally: Tally) -> Counter[Any]:
    counted: Counter[Any] = Counter()
    for row in tally.rows:
        counted[row.wave_id, row.state, row.cursor, row.reached] += row.count
    return counted
