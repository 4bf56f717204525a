"""Readings of journals, as an auditor makes them."""

from typing import Any

from plans.models import Event, Journal, Plan, Task
from plans.models.journal import GENESIS


def assert_journals_hold() -> None:
    """Every journal is gapless, chained, and told no less than its head says."""
    for journal in Journal.objects.all():
        last_hash = GENESIS
        seqs = []
        for event in Event.objects.filter(journal=journal).order_by("seq"):
            seqs.append(event.seq)
            last_hash = event.chained_hash(last_hash)
            assert event.hash == last_hash, f"the chain is broken at {event}"
        assert seqs == list(range(1, len(seqs) + 1)), f"{journal} has gaps"
        assert (journal.last_seq, journal.last_hash) == (len(seqs), last_hash)


def assert_replay_gives_the_present() -> None:
    """The events alone tell the state of every plan and task, each step from where it stood."""
    told: dict[tuple[str, int | None], str] = {}
    for event in Event.objects.exclude(plan=None).order_by("journal", "seq"):
        if not event.to_state:
            continue
        row = ("task", event.task_id) if event.task_id else ("plan", event.plan_id)
        if event.from_state:
            assert told[row] == event.from_state, f"{event} begins where nothing stood"
        told[row] = event.to_state
    present: dict[tuple[str, Any], str] = {
        **{("plan", key): state for key, state in Plan.objects.values_list("pk", "state")},
        **{("task", key): state for key, state in Task.objects.values_list("pk", "state")},
    }
    assert told == present
