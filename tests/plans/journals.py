"""Readings of journals, as an auditor makes them."""

from typing import Any

from django.db.models import Q

from plans.models import Event, Journal, Plan, Task
from plans.models.journal import GENESIS


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
