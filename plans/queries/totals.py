"""Totals of all plans, kept in memory: each look reads only the plans that moved since the last.

They are a function of the database alone, so every process that is asked says the same, whatever
workers came and went. A process that has just been started reads everything once.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from plans.models import Journal, Task
from plans.queries import journal_sums
from plans.queries.journal_sums import Group, Sums

MOVED_MAX = 100
"""Journals that one statement can name; when more have moved, everything is read again."""


@dataclass(frozen=True)
class Look:
    """What one look saw: the events' sums, and how many tasks are in which state."""

    events: Mapping[Group, Sums]
    tasks: Mapping[str, int]


class Totals:
    """Remembers where every journal stood, and what there was up to there.

    A journal's `seq` has no gaps and grows in commit order, so nothing is counted twice or missed;
    ids would not do: they are given out before the commit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heads: dict[int, int] | None = None
        self._events: dict[Group, Sums] = {}
        self._tasks: dict[int, Counter[str]] = {}

    def look(self) -> Look:
        """The totals now: one statement where nothing moved, three where something did."""
        with self._lock:
            # The journals first: what is committed after this is read with the next look.
            heads = dict(Journal.objects.order_by().values_list("pk", "last_seq"))
            moved = self._moved(heads)
            # Remembered only once all is read: a lost connection must not leave a half.
            if moved is None:
                events, heads = journal_sums.of_all()
                self._tasks, self._events = _tasks_by_journal(Q()), events
            elif moved:
                more = journal_sums.between(moved)
                counted = _tasks_by_journal(Q(plan__journal__in=moved))
                self._tasks |= {journal: counted.get(journal, Counter()) for journal in moved}
                self._add(more)
            self._heads = heads
            tasks: Counter[str] = Counter()
            for counts in self._tasks.values():
                tasks.update(counts)
            return Look(dict(self._events), tasks)

    def _moved(self, heads: dict[int, int]) -> dict[int, tuple[int, int]] | None:
        """Between which seqs each journal has moved; None where all is to be read again."""
        before = self._heads
        # A journal that went back, or away: the database is an older one, brought back.
        if before is None or any(heads.get(journal, -1) < seq for journal, seq in before.items()):
            return None
        spans = {journal: (before.get(journal, 0), seq) for journal, seq in heads.items()}
        moved = {journal: span for journal, span in spans.items() if span[0] != span[1]}
        return moved if len(moved) <= MOVED_MAX else None

    def _add(self, more: Mapping[Group, Sums]) -> None:
        for group, (events, seconds) in more.items():
            before = self._events.get(group, Sums(0, 0.0))
            self._events[group] = Sums(before.events + events, before.seconds + seconds)


def _tasks_by_journal(wanted: Q) -> dict[int, Counter[str]]:
    rows = Task.objects.filter(wanted).order_by().values_list("plan__journal", "state")
    counts: dict[int, Counter[str]] = {}
    for journal, state, count in rows.annotate(count=Count("pk")):
        counts.setdefault(journal, Counter())[state] = count
    return counts
