"""The one road by which state changes.

`record()` opens one transaction. Inside it, transitions are run and saved and facts are noted;
at its end the events are numbered, chained and stored; after the commit the doorbell rings and
the listeners are told. Nothing else in Bluegreen writes a state.

Lock order, for everybody: plan, then tasks, then journal (last, taken here).
Locks are taken with `no_key`: PostgreSQL checks the foreign keys of new events with key locks at
the commit, when the journal is held, and those must not wait for whoever holds the plan.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from plans import listeners
from plans.actor import Actor
from plans.canonical import storable, storable_text
from plans.errors import ChangedSinceYouLooked, IllegalTransition
from plans.models import INSTALLATION, Event, EventKind, Journal, Plan, StageRun, Task
from plans.stores import doorbell, prepared

IN_CLAUSE_MAX = 500
"""Keys in one IN clause; SQLite takes at most 999 variables in older builds."""
TENANT_ID_CHARS = 64
FEW = 10
"""So many events are inserted by a statement that is kept; more are written in bulk."""

Guard = Q | dict[str, Any]
"""What must still be true of a row: a condition, or plain values by attribute name."""


class Record:
    """What happens within one transaction, for one journal."""

    def __init__(self, journal_id: int | None, plan_id: int | None, actor: Actor) -> None:
        self.plan_id = plan_id
        self.actor = actor
        self._journal_id = journal_id
        self._events: list[Event] = []

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
            data=data,
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

        Tasks whose changes are equal are written by one statement.
        """
        groups: dict[str, tuple[dict[str, Any], list[int]]] = {}
        for task in tasks:
            before = task.state
            run_transition(task, verb)
            for name, value in changes.items():
                setattr(task, name, value)
            changed = task.changes()
            groups.setdefault(repr(changed), (changed, []))[1].append(task.pk)
            self.note(kind, task=task, reason=reason, from_state=before, to_state=task.state)
            task.mark_stored()
        for changed, keys in groups.values():
            for start in range(0, len(keys), IN_CLAUSE_MAX):
                Task.objects.filter(pk__in=keys[start : start + IN_CLAUSE_MAX]).update(
                    **changed, revision=F("revision") + 1
                )

    def save(self, row: Plan | Task, *, guard: Guard | None = None) -> None:
        """Write what changed of `row`, if `guard` (default: its revision) still holds."""
        if guard is None:
            guard = {"revision": row.revision}
        if _update(type(row), row.pk, row.changes(), guard) != 1:
            now = type(row).objects.get(pk=row.pk)
            raise ChangedSinceYouLooked(what=describe(row), state=str(now.get_state_display()))
        row.revision += 1
        row.mark_stored()

    def save_run(self, run: StageRun, verb: str) -> None:
        """End a stage run by the transition `verb`; its task's lease guards it."""
        run_transition(run, verb)
        prepared.update(StageRun, run.pk, run.changes(), {})
        run.mark_stored()

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
        self._events.append(
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
        if not self._events:
            return
        journal_id = self._journal_id or _installation_journal_id()
        last_seq, last_hash = prepared.locked(Journal, journal_id, ("last_seq", "last_hash"))
        for seq, event in enumerate(self._events, last_seq + 1):
            event.journal_id = journal_id
            event.seq = seq
            last_hash = event.hash = event.chained_hash(last_hash)
        if len(self._events) <= FEW:
            prepared.insert(self._events)
        else:
            Event.objects.bulk_create(self._events)
        head = {"last_seq": self._events[-1].seq, "last_hash": last_hash}
        prepared.update(Journal, journal_id, head, {})
        transaction.on_commit(self._announce)

    def _announce(self) -> None:
        if self.plan_id is not None:
            doorbell.ring(self.plan_id, self._events[-1].seq)
        listeners.tell(self._events)


@contextmanager
def record(plan: Plan | None, actor: Actor) -> Iterator[Record]:
    """Open one transaction whose transitions and facts go into the journal of `plan`.

    Without a plan they go into the installation's journal.
    """
    with transaction.atomic():
        entry = Record(plan.journal_id if plan else None, plan.pk if plan else None, actor)
        yield entry
        entry.store()


def _update(model: type[Plan | Task], key: int, changes: dict[str, Any], guard: Guard) -> int:
    if isinstance(guard, Q) or any(hasattr(v, "resolve_expression") for v in changes.values()):
        condition = guard if isinstance(guard, Q) else Q(**guard)
        rows = model.objects.filter(condition, pk=key)
        return rows.update(**changes, revision=F("revision") + 1)
    return prepared.update(model, key, changes, guard, increment="revision")


def _installation_journal_id() -> int:
    return Journal.objects.get_or_create(name=INSTALLATION)[0].pk


def run_transition(row: Plan | Task | StageRun, verb: str) -> None:
    """Run the transition `verb` in memory; raises `IllegalTransition` that names all (S2.4)."""
    try:
        getattr(row, verb)()
    except TransitionNotAllowed as refused:
        raise IllegalTransition(
            what=describe(row), state=str(row.get_state_display()), asked=verb.replace("_", " ")
        ) from refused


def describe(row: Plan | Task | StageRun) -> str:
    """The row in words, as errors name it."""
    if isinstance(row, Task):
        return f"task {row.pk} (tenant {row.tenant_id})"
    if isinstance(row, Plan):
        return f"plan {row.pk} “{row.name}”"
    return f"{row._meta.verbose_name} {row.pk}"
