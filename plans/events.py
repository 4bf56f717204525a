"""The one road by which state changes.

`record()` opens one transaction. Inside it, transitions are run and saved and facts are noted;
at its end the events are numbered, chained and stored; after the commit the doorbell rings and
the listeners are told. Nothing else in Bluegreen writes a state.

Lock order, for everybody: plan, then tasks, then journal (last, taken here).
Locks are taken with `no_key`: PostgreSQL checks the foreign keys of new events with key locks at
the commit, when the journal is held, and those must not wait for whoever holds the plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop
from django_fsm import TransitionNotAllowed

from plans import listeners
from plans.actor import Actor
from plans.canonical import storable, storable_text
from plans.errors import ChangedSinceYouLooked, IllegalTransition
from plans.message import Message
from plans.models import INSTALLATION, Event, EventKind, Journal, Plan, StageRun, Task
from plans.slices import slices
from plans.stores import doorbell, inserts, journey, prepared
from plans.stores.journey import Statement
from plans.verbs import words_of

TENANT_ID_CHARS = 64
FEW = 60
"""So many rows are written by statements that are kept; more are written in bulk."""
MOVING_VERBS = ("retry", "roll_back")
HEAD = ("last_seq", "last_hash")

Guard = Mapping[str, Any]
"""What must still be true of a row: values by attribute name."""


class Record:
    """What happens within one transaction, for one journal."""

    def __init__(self, journal_id: int | None, plan_id: int | None, actor: Actor) -> None:
        self.plan_id = plan_id
        self.actor = actor
        self._journal_id = journal_id
        self.noted: list[Event] = []
        """The events that are not stored yet."""

    def apply(
        self,
        row: Plan | Task,
        verb: str,
        kind: EventKind,
        *,
        reason: str = "",
        data: dict[str, Any] | None = None,
        epoch: int | None = None,
        guard: Guard | None = None,
        by: str = "",
        **changes: Any,
    ) -> None:
        """Run the transition `verb` of `row`, save it and note the event.

        `changes` are further fields to set once the transition is allowed. `guard` is what must
        still be true of the row in the database; without one, that its revision is the one that
        was read. `by` is who asked, where that is not who acts. Raises `IllegalTransition`
        (nothing is written) or `ChangedSinceYouLooked` (the whole transaction is undone).
        """
        before = row.state
        run_transition(row, verb)
        for name, value in changes.items():
            setattr(row, name, value)
        self.save(row, guard=guard)
        self.note(
            kind,
            task=row if isinstance(row, Task) else None,
            reason=reason,
            data=_moved(row, verb) | (data or {}),
            epoch=epoch,
            by=by,
            from_state=before,
            to_state=row.state,
        )

    def apply_to_all(
        self,
        tasks: Sequence[Task],
        verb: str,
        kind: EventKind,
        *,
        reason: str = "",
        **changes: Any,
    ) -> None:
        """Run one transition on many tasks whose rows this transaction has locked.

        Where there are many, those whose changes are equal are written by one statement.
        """
        groups: dict[str, tuple[dict[str, Any], list[int]]] = {}
        for task in tasks:
            before = task.state
            run_transition(task, verb)
            for name, value in changes.items():
                setattr(task, name, value)
            changed = task.changes()
            groups.setdefault(repr(changed), (changed, []))[1].append(task.pk)
            self.note(
                kind,
                task=task,
                reason=reason,
                data=_moved(task, verb),
                from_state=before,
                to_state=task.state,
            )
            task.mark_stored()
        for changed, keys in groups.values():
            _write_all(keys, changed)

    def save(self, row: Plan | Task, *, guard: Guard | None = None, where: Q | None = None) -> None:
        """Write what changed of `row`, if `guard` (default: its revision) and `where` hold."""
        if journey.run([saving(row, guard, where)])[0].rows_count != 1:
            raise changed(row)

    def end_run(self, run: StageRun, verb: str) -> None:
        """End a stage run by the transition `verb`; its task, which is locked, guards it."""
        journey.run([ending(run, verb)])

    def note(
        self,
        kind: EventKind,
        *,
        task: Task | None = None,
        tenant_id: str = "",
        reason: str = "",
        data: dict[str, Any] | None = None,
        epoch: int | None = None,
        by: str = "",
        from_state: str = "",
        to_state: str = "",
    ) -> None:
        """Record a fact that is no transition."""
        self.noted.append(
            Event(
                plan_id=self.plan_id,
                task_id=task.pk if task else None,
                tenant_id=task.tenant_id if task else storable_text(tenant_id)[:TENANT_ID_CHARS],
                kind=kind,
                at=timezone.now(),
                actor=storable_text(by or self.actor.name),
                epoch=epoch,
                from_state=from_state,
                to_state=to_state,
                reason=storable_text(reason),
                data=storable(data or {}),
            )
        )

    def store(self) -> None:
        """Number, chain and insert the events. Takes the journal's row, the last lock of all."""
        if not self.noted:
            return
        journal_id = self._journal_id or _installation_journal_id()
        head = journey.run([prepared.lock(Journal, journal_id, HEAD)])[0].rows[0]
        append(journal_id, head, self.noted)
        transaction.on_commit(lambda: announce(self.noted))


def _write_all(keys: Sequence[int], changed: dict[str, Any]) -> None:
    """Write the same changes into the rows of these tasks, which are locked."""
    if len(keys) <= FEW:
        journey.run([prepared.update(Task, key, changed, {}, increment="revision") for key in keys])
        return
    for some in slices(keys):
        Task.objects.filter(pk__in=some).update(**changed, revision=F("revision") + 1)


def append(journal_id: int, head: tuple[int, str], events: list[Event]) -> None:
    """Add events to a journal that is locked and stands at `head`: last number, last hash.

    They are the last that a transaction writes: its commit may travel with them.
    """
    last_seq, last_hash = head
    for seq, event in enumerate(events, last_seq + 1):
        event.journal_id = journal_id
        event.seq = seq
        last_hash = event.hash = event.chained_hash(last_hash)
    new_head = {"last_seq": events[-1].seq, "last_hash": last_hash}
    moving = prepared.update(Journal, journal_id, new_head, {})
    if len(events) <= FEW:
        *inserted, _ = journey.run_last([*inserts.insert(events), moving])
        inserts.give_keys(events, inserted)
    else:
        Event.objects.bulk_create(events)
        journey.run_last([moving])


def announce(events: list[Event]) -> None:
    """Ring for the pages and tell the listeners of events that are committed, of one journal."""
    last = events[-1]
    if last.plan_id is not None:
        doorbell.ring(last.plan_id, last.seq)
    listeners.tell(events)


@contextmanager
def record(plan: Plan | None, actor: Actor) -> Iterator[Record]:
    """Open one transaction whose transitions and facts go into the journal of `plan`.

    Without a plan they go into the installation's journal.
    """
    with transaction.atomic():
        entry = Record(plan.journal_id if plan else None, plan.pk if plan else None, actor)
        yield entry
        entry.store()


def saving(row: Plan | Task, guard: Guard | None, where: Q | None) -> Statement:
    """What writes the changes of `row` if `guard` (default: its revision) and `where` hold.

    From here on `row` counts as stored.
    """
    if guard is None:
        guard = {"revision": row.revision}
    statement = prepared.update(
        type(row), row.pk, row.changes(), guard, where=where, increment="revision"
    )
    row.revision += 1
    row.mark_stored()
    return statement


def ending(run: StageRun, verb: str) -> Statement:
    """What writes the end of a stage run by the transition `verb`."""
    run_transition(run, verb)
    statement = prepared.update(StageRun, run.pk, run.changes(), {})
    run.mark_stored()
    return statement


def changed(row: Plan | Task) -> ChangedSinceYouLooked:
    """The error that says what `row` has become."""
    now = type(row).objects.get(pk=row.pk)
    return ChangedSinceYouLooked(what=describe(row), state=Message.of(now.get_state_display()))


def _moved(row: Plan | Task, verb: str) -> dict[str, Any]:
    """Where in its pipeline a task stands, after a transition that may have moved it there."""
    if isinstance(row, Task) and verb in MOVING_VERBS:
        return {"finished": row.cursor, "reached": row.reached}
    return {}


def _installation_journal_id() -> int:
    return Journal.objects.get_or_create(name=INSTALLATION)[0].pk


def run_transition(row: Plan | Task | StageRun, verb: str) -> None:
    """Run the transition `verb` in memory; raises `IllegalTransition` that names all (S2.4)."""
    try:
        getattr(row, verb)()
    except TransitionNotAllowed as refused:
        raise IllegalTransition(
            what=describe(row),
            state=Message.of(row.get_state_display()),
            asked=words_of(verb),
        ) from refused


def describe(row: Plan | Task | StageRun) -> Message:
    """The row in words, as errors name it."""
    if isinstance(row, Task):
        values = {"id": row.pk, "tenant": row.tenant_id}
        return Message(gettext_noop("task %(id)s (tenant %(tenant)s)"), values)
    if isinstance(row, Plan):
        values = {"id": row.pk, "name": row.name}
        return Message(gettext_noop("plan %(id)s “%(name)s”"), values)
    return Message(gettext_noop("stage run %(id)s"), {"id": row.pk})
