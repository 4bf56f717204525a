"""Bring a plan to where its tasks say it should be: policy, hand-out, end.

`settle` looks at the database and does whatever follows; calling it once too often changes
nothing, so it is called after everything that may matter, and by the conductor for what was
missed.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DatabaseError, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from plans.actor import SYSTEM
from plans.engine import failing, gates, queue
from plans.errors import RedisUnavailable
from plans.events import Record
from plans.message import Message
from plans.models import (
    UNFINISHED_STATES,
    EventKind,
    Plan,
    PlanState,
    Task,
    TaskState,
    Wave,
    WaveMode,
)
from plans.queries import census, eligible
from plans.queries.census import Census
from plans.stores import journey, prepared

logger = logging.getLogger(__name__)

_asked_again: dict[int, bool] = {}
_lock = threading.Lock()
_put_off: ContextVar[dict[int, None] | None] = ContextVar("put_off", default=None)


@contextmanager
def settling_at_the_end() -> Iterator[None]:
    """Settle each plan that this thread asks for meanwhile once, when all is done to it.

    A plan that the database does not let settle then is left to the conductor.
    """
    asked: dict[int, None] = {}
    token = _put_off.set(asked)
    try:
        yield
    finally:
        _put_off.reset(token)
        for plan_id in asked:
            try:
                settle(plan_id)
            except DatabaseError:
                logger.exception("Plan %s was not settled", plan_id, extra={"plan": plan_id})


def settle(plan_id: int) -> None:
    """Settle plan `plan_id`, and ring for what was handed out.

    Threads of one process that ask for the same plan at once share one look, taken after the
    last of them asked.
    """
    if (put_off := _put_off.get()) is not None:
        put_off[plan_id] = None
        return
    with _lock:
        if plan_id in _asked_again:
            _asked_again[plan_id] = True
            return
        _asked_again[plan_id] = False
    try:
        while True:
            ring(_settle(plan_id))
            with _lock:
                if not _asked_again[plan_id]:
                    del _asked_again[plan_id]
                    return
                _asked_again[plan_id] = False
    except BaseException:
        with _lock:
            del _asked_again[plan_id]
        raise


def ring(task_ids: list[int]) -> None:
    """Tell the workers; if Redis is away, the conductor rings again."""
    if not task_ids:
        return
    try:
        queue.ring_many(task_ids)
    except RedisUnavailable as away:
        logger.warning("%s tasks were not rung: %s", len(task_ids), away)


def _settle(plan_id: int) -> list[int]:
    with transaction.atomic():
        # Counted once the plan is locked: nobody else hands out meanwhile.
        locking = prepared.select(Plan, {"id": plan_id}, lock=True)
        locked, counted = journey.run([locking, census.ask(plan_id)])
        plan = next(iter(prepared.rows_of(Plan, locked)), None)
        if plan is None:
            return []
        record = Record(plan.journal_id, plan.pk, SYSTEM)
        admitted = _settle_locked(record, plan, census.answer(counted))
        record.store()
    return admitted


def _settle_locked(record: Record, plan: Plan, count: Census) -> list[int]:
    if plan.state == PlanState.ROLLING_BACK:
        failing.roll_back(record, eligible.reversible(plan))
        count = _count(plan)
    if plan.state == PlanState.RUNNING and count.any_failed:
        failing.apply_policy(record, plan)
        count = _count(plan)
    if plan.halt is not None:
        failing.renew_halt(record, plan)
    free = plan.max_concurrency - count.admitted
    if count.is_stopped:
        free = 0
    admitted = _admit_waiting(plan, free) if count.any_waiting else []
    if plan.state == PlanState.RUNNING and plan.halt is None:
        admitted += _start_pending(record, plan, free - len(admitted))
    if not admitted and not count.admitted:
        _end(record, plan)
    return admitted


def _count(plan: Plan) -> Census:
    """How the tasks of a plan that is locked stand."""
    return census.answer(*journey.run([census.ask(plan.pk)]))


# --- Slots -----------------------------------------------------------------------------------


def _admit_waiting(plan: Plan, free: int) -> list[int]:
    """Give slots to tasks that go on: rollbacks (last first), retries and resumed ones."""
    if free <= 0:
        return []
    states = [TaskState.ROLLING_BACK]
    if plan.state == PlanState.RUNNING:
        states.append(TaskState.RUNNING)
    waiting = Task.objects.filter(plan=plan, state__in=states, admitted=False)
    back = waiting.filter(state=TaskState.ROLLING_BACK).order_by("-position")
    on = waiting.filter(state=TaskState.RUNNING).order_by("position")
    rows = [*on.values_list("pk", "wave_id")[:free], *back.values_list("pk", "wave_id")[:free]]
    chosen = _one_at_a_time_in_fifo(plan, rows)[:free]
    if chosen:
        # Another task may have had the tenant meanwhile, and its services remember its fences.
        highest = Task.objects.filter(tenant=OuterRef("tenant")).order_by("-lease_epoch")
        Task.objects.filter(pk__in=chosen).update(
            admitted=True,
            lease_epoch=Subquery(highest.values("lease_epoch")[:1]),
            rung_at=Now(),
            revision=F("revision") + 1,
        )
    return chosen


def _one_at_a_time_in_fifo(plan: Plan, rows: list[tuple[int, int]]) -> list[int]:
    if not rows:
        return []
    fifo = set(Wave.objects.filter(plan=plan, mode=WaveMode.FIFO).values_list("pk", flat=True))
    taken = set(
        Task.objects.filter(wave_id__in=fifo, admitted=True).values_list("wave_id", flat=True)
    )
    chosen = []
    for task_id, wave_id in rows:
        if wave_id in taken:
            continue
        chosen.append(task_id)
        if wave_id in fifo:
            taken.add(wave_id)
    return chosen


def _start_pending(record: Record, plan: Plan, free: int) -> list[int]:
    """Start tasks of the current wave; where it has ended, go on to the next (S3.1)."""
    while free > 0 and (wave := _current_wave(plan)):
        if wave.started_at is None and not gates.lets_begin(record, wave):
            return []
        if wave.mode == WaveMode.FIFO:
            busy = Task.objects.filter(wave=wave, state__in=UNFINISHED_STATES)
            if busy.exclude(state=TaskState.PENDING).exists():
                return []
            free = 1
        if tasks := _next_pending(wave, free):
            _start_wave(record, wave)
            record.apply_to_all(
                tasks,
                "start",
                EventKind.TASK_STARTED,
                admitted=True,
                rung_at=Now(),
                started_at=timezone.now(),
            )
            return [task.pk for task in tasks]
        if Task.objects.filter(wave=wave, state__in=UNFINISHED_STATES).exists():
            return []
        _finish_wave(record, plan, wave)
    return []


def _current_wave(plan: Plan) -> Wave | None:
    current = prepared.select(Wave, {"plan_id": plan.pk, "index": plan.current_wave})
    return next(iter(prepared.rows_of(Wave, *journey.run([current]))), None)


def _next_pending(wave: Wave, most: int) -> list[Task]:
    """The next tasks of `wave` that have not begun, locked."""
    of_wave = {"wave_id": wave.pk, "state": TaskState.PENDING}
    pending = prepared.select(Task, of_wave, order="position", limit=most, lock=True)
    return prepared.rows_of(Task, *journey.run([pending]))


def _start_wave(record: Record, wave: Wave) -> None:
    if wave.started_at is None:
        Wave.objects.filter(pk=wave.pk).update(started_at=timezone.now())
        record.note(EventKind.WAVE_STARTED, data={"wave": wave.index, "size": wave.size})


def _finish_wave(record: Record, plan: Plan, wave: Wave) -> None:
    Wave.objects.filter(pk=wave.pk).update(finished_at=timezone.now())
    record.note(EventKind.WAVE_COMPLETED, data={"wave": wave.index, "size": wave.size})
    gates.close(record, wave)
    plan.current_wave += 1
    record.save(plan)


# --- Ends ------------------------------------------------------------------------------------


def _end(record: Record, plan: Plan) -> None:
    """End the plan if nothing of it is under way any more."""
    tasks = Task.objects.filter(plan=plan)
    if plan.state == PlanState.RUNNING:
        held_up = [TaskState.RUNNING, TaskState.ROLLING_BACK, TaskState.PAUSED]
        if plan.halt is None:
            held_up.append(TaskState.PENDING)
        if tasks.filter(state__in=held_up).exists():
            return
        if eligible.failed(plan).exists() or tasks.filter(state=TaskState.PENDING).exists():
            _finish(record, plan, "fail", EventKind.PLAN_FAILED)
        else:
            _finish(record, plan, "complete", EventKind.PLAN_COMPLETED)
    elif plan.state == PlanState.ROLLING_BACK:
        if tasks.filter(state__in=UNFINISHED_STATES).exists():
            return
        if tasks.filter(state=TaskState.ROLLBACK_FAILED).exists():
            _finish(record, plan, "fail_rollback", EventKind.PLAN_ROLLBACK_FAILED)
        else:
            _finish(record, plan, "finish_rollback", EventKind.PLAN_ROLLED_BACK)


def _finish(record: Record, plan: Plan, verb: str, kind: EventKind) -> None:
    why = Message.from_json(plan.halt)
    record.apply(plan, verb, kind, reason=why.english if why else "", finished_at=timezone.now())
