"""Group commit: what threads of one process store at the same moment becomes one transaction.

Every end of a stage needs the journal of its plan until it is committed, so runners of one plan
would stand in line, each with a transaction of its own. Here the first in line stores for all who
came while the line was busy: one lock, one INSERT of events, one commit. Each is told for itself
whether its task was still its own; whoever was replaced leaves the others alone.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from plans import events
from plans.actor import Actor
from plans.events import Guard, Record
from plans.models import Journal, Plan, StageRun, Task
from plans.stores import inserts, journey, prepared
from plans.stores.journey import Statement, StatementResult

TOGETHER_MAX = 16
"""So many at most share one transaction: the events of more make a statement of many sizes."""


class RunnerRecord(Record):
    """What happens to one task at one moment. Nothing is written until it is stored."""

    def __init__(self, journal_id: int, task: Task, actor: Actor) -> None:
        super().__init__(journal_id, task.plan_id, actor)
        self.journal_id = journal_id
        self.task = task
        self.guarded: Statement | None = None
        self.ended: list[Statement] = []
        self.begun: list[StageRun] = []

    @property
    def is_empty(self) -> bool:
        return self.guarded is None and not self.noted

    def save(self, row: Plan | Task, *, guard: Guard | None = None, where: Q | None = None) -> None:
        """Write what changed of the task, if the guard still holds when it is stored."""
        assert row is self.task, "a runner writes its own task"
        assert self.guarded is None, "and once in a transaction"
        self.guarded = events.saving(row, guard, where)

    def end_run(self, run: StageRun, verb: str) -> None:
        """End a stage run by the transition `verb`; its task's guard is its own."""
        self.ended.append(events.ending(run, verb))

    def save_run(self, run: StageRun) -> None:
        """Write what changed of an open stage run, if anything did; its task's guard is its own."""
        if changes := run.changes():
            self.ended.append(prepared.update(StageRun, run.pk, changes, {}))
            run.mark_stored()

    def begin_run(self, run: StageRun) -> None:
        """Store a new stage run."""
        run.mark_stored()
        self.begun.append(run)

    def statements(self) -> list[Statement]:
        """All that is written but the events: the task first, whose lock guards the rest."""
        guarded = [self.guarded] if self.guarded else []
        return [*guarded, *self.ended, *inserts.insert(self.begun)]

    def has_held(self, results: Sequence[StatementResult]) -> bool:
        """Whether the guard held, as the results of `statements` say."""
        return self.guarded is None or results[0].rows_count == 1

    def give_keys(self, results: Sequence[StatementResult]) -> None:
        """Tell the stage runs that were begun their keys, out of the results of `statements`."""
        if self.begun:
            inserts.give_keys(self.begun, results[-1:])


@contextmanager
def record(plan: Plan, task: Task, actor: Actor) -> Iterator[RunnerRecord]:
    """Collect what happens to `task`, and store it in one transaction, perhaps with others'.

    Raises `ChangedSinceYouLooked` if the guard did not hold; then nothing of it is stored.
    """
    entry = RunnerRecord(plan.journal_id, task, actor)
    yield entry
    if not entry.is_empty:
        _Turn(entry).take()


class _Turn:
    """A record's turn in the line before a journal."""

    _lines: ClassVar[dict[int, list["_Turn"]]] = {}
    """The journals that somebody stores into at this moment, and who waits there."""
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, entry: RunnerRecord) -> None:
        self.entry = entry
        self.is_over = False
        self._error: Exception | None = None
        self._is_lost = False
        self._asleep = threading.Lock()

    def take(self) -> None:
        """Store the record, or have it stored; raises what became of it."""
        if self._is_first() or self._is_next():
            others = self._others()
            try:
                _store([self, *others])
            finally:
                self._leave(others)
        if self._is_lost:
            raise events.changed(self.entry.task)
        if self._error is not None:
            raise self._error

    def end(self, error: Exception | None = None, *, is_lost: bool = False) -> None:
        """Say what became of the record."""
        self._error, self._is_lost, self.is_over = error, is_lost, True

    def _is_first(self) -> bool:
        with self._lock:
            line = self._lines.get(self.entry.journal_id)
            if line is None:
                self._lines[self.entry.journal_id] = []
                return True
            self._asleep.acquire()
            line.append(self)
            return False

    def _is_next(self) -> bool:
        """Wait until somebody has stored this record too, or leaves it to us."""
        with self._asleep:
            return not self.is_over

    def _others(self) -> list["_Turn"]:
        with self._lock:
            line = self._lines[self.entry.journal_id]
            others, line[:] = line[: TOGETHER_MAX - 1], line[TOGETHER_MAX - 1 :]
            return others

    def _leave(self, others: list["_Turn"]) -> None:
        """Wake those whose records were stored, and whoever is next."""
        with self._lock:
            line = self._lines[self.entry.journal_id]
            woken = [*others, *line[:1]]
            if line:
                del line[0]
            else:
                del self._lines[self.entry.journal_id]
        for turn in others:
            if not turn.is_over:
                turn.end(InterfaceError("the thread that was to store it has ended"))
        for turn in woken:
            turn._asleep.release()


def _store(turns: Sequence[_Turn]) -> None:
    """Store the records of `turns` in one transaction, and tell each what became of it."""
    try:
        with transaction.atomic():
            write([turn.entry for turn in turns])
    except (OperationalError, InterfaceError) as error:
        # Nobody knows whether it was committed: each reads again what there is.
        for turn in turns:
            turn.end(type(error)(*error.args))
    except Exception as error:
        if len(turns) == 1:
            is_lost = isinstance(error, _Lost) or _was_replaced(turns[0].entry)
            turns[0].end(error, is_lost=is_lost)
        else:  # Whatever cannot be stored of one is no fault of the others.
            for turn in turns:
                _store([turn])
    else:
        for turn in turns:
            turn.end()


def _was_replaced(entry: RunnerRecord) -> bool:
    """Whether the guard no longer holds: then what it begins may be there, begun by another."""
    if entry.guarded is None:
        return False
    try:
        with transaction.atomic():
            [tried] = journey.run([entry.guarded])
            transaction.set_rollback(True)
    except Exception:
        return False  # What writes the task is itself what fails: the first error tells.
    return tried.rows_count != 1


class _Lost(Exception):
    """A guard did not hold."""


def write(entries: Sequence[RunnerRecord]) -> None:
    """Write all in the transaction that is open. Raises `_Lost`."""
    journal_id = entries[0].journal_id
    # In the order in which operators lock a plan's tasks, or PostgreSQL deadlocks.
    in_order = sorted(entries, key=lambda entry: entry.task.position)
    *stored, [head] = journey.run_groups(
        *(entry.statements() for entry in in_order),
        [prepared.lock(Journal, journal_id, events.HEAD)],
    )
    if not all(map(RunnerRecord.has_held, in_order, stored)):
        raise _Lost
    for entry, results in zip(in_order, stored, strict=True):
        entry.give_keys(results)
    noted = [event for entry in entries for event in entry.noted]
    if noted:
        transaction.on_commit(lambda: events.announce(noted))
        events.append(journal_id, head.rows[0], noted)
