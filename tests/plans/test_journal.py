"""The journal under many threads, and operators that act on the same rows at once."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from plans import events, operations
from plans.actor import Actor
from plans.engine import scheduler
from plans.errors import RefusedError
from plans.models import Event, EventKind, Plan, Task
from tests.plans.journals import assert_journals_hold, assert_replay_gives_the_present
from tests.plans.rows import make_rows
from tests.plans.switching import switched_plan
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import WAIT_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def in_threads(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run `work(n)` in every thread, all beginning at once; raises what one of them raised."""
    begin = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            begin.wait(WAIT_SECONDS)
            work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run, number) for number in range(threads)]:
            future.result(3 * WAIT_SECONDS)


def test_the_sequence_is_gapless_and_chained_though_many_threads_record() -> None:
    plan, tasks = make_rows("RUNNING", *["PENDING"] * 3)

    def record(number: int) -> None:
        for turn in range(10):
            with events.record(plan, Actor(f"thread-{number}")) as record:
                for task in tasks[: 1 + turn % 3]:
                    record.note(EventKind.TASK_PROGRESS, task=task, data={"turn": turn})

    in_threads(record)
    assert_journals_hold()
    assert Event.objects.count() == THREADS * sum(1 + turn % 3 for turn in range(10))
    # Each transaction's events stand together, in their order.
    told = list(Event.objects.order_by("seq").values_list("actor", "data__turn"))
    for number in range(THREADS):
        turns = [turn for actor, turn in told if actor == f"thread-{number}"]
        assert turns == sorted(turns)


def test_a_reader_with_a_cursor_misses_nothing_while_others_record() -> None:
    plan, [task] = make_rows("RUNNING", "PENDING")
    done = threading.Event()
    seen: list[int] = []

    def record_or_read(number: int) -> None:
        if number:
            for _ in range(15):
                with events.record(plan, Actor("writer")) as record:
                    record.note(EventKind.TASK_PROGRESS, task=task)
            return
        while not done.wait(0.002):
            cursor = seen[-1] if seen else 0
            seen.extend(
                Event.objects.filter(plan=plan, seq__gt=cursor)
                .order_by("seq")
                .values_list("seq", flat=True)
            )
            if len(seen) >= 15 * (THREADS - 1):
                done.set()

    in_threads(record_or_read)
    assert seen == list(range(1, 15 * (THREADS - 1) + 1))


def test_what_is_undone_leaves_no_gap() -> None:
    plan, [task] = make_rows("RUNNING", "PENDING")

    def record(number: int) -> None:
        for turn in range(6):
            try:
                with events.record(plan, OPERATOR) as record:
                    record.note(EventKind.TASK_PROGRESS, task=task)
                    if (turn + number) % 2:
                        raise RuntimeError("undone")
            except RuntimeError:
                continue

    in_threads(record)
    assert_journals_hold()
    assert Event.objects.count() == THREADS * 3


def test_a_failure_after_the_events_are_stored_leaves_nothing() -> None:
    plan, [task] = make_rows("RUNNING", "PENDING")

    with transaction.atomic():
        with events.record(plan, OPERATOR) as record:
            record.apply(task, "cancel", EventKind.TASK_CANCELLED)
        assert Event.objects.exists()
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert Task.objects.get().state == "PENDING"
    assert_journals_hold()


def test_a_stale_copy_of_a_row_is_refused_with_all_that_belongs_to_it() -> None:
    plan, [task, other] = make_rows("RUNNING", "RUNNING", "RUNNING")
    stale = Task.objects.get(pk=task.pk)
    with events.record(plan, OPERATOR) as record:
        record.apply(task, "pause", EventKind.TASK_PAUSED)

    def act_on_both() -> None:
        with events.record(plan, OPERATOR) as record:
            record.apply(other, "pause", EventKind.TASK_PAUSED)
            record.apply(stale, "fail", EventKind.TASK_FAILED)

    with pytest.raises(RefusedError, match="has changed since you looked: it is now paused"):
        act_on_both()
    assert Event.objects.count() == 1
    assert Task.objects.get(pk=other.pk).state == "RUNNING"


def test_operators_who_act_on_the_same_rows_at_once_never_deadlock(sandbox: Sandbox) -> None:
    """Each is done or refused; on PostgreSQL a deadlock would be an `OperationalError`."""
    plan = switched_plan(6, max_concurrency=3)
    task_ids = list(Task.objects.values_list("pk", flat=True))
    on_tasks = [
        operations.pause_task,
        operations.resume_task,
        operations.cancel_task,
        operations.retry_task,
        operations.roll_back_task,
    ]
    on_plans = [operations.pause_plan, operations.resume_plan, operations.retry_plan]

    def act(number: int) -> None:
        chance = random.Random(number)
        for _ in range(12):
            try:
                if number % 4 == 0:
                    scheduler.settle(plan.pk)
                elif number % 4 == 1:
                    chance.choice(on_plans)(plan.pk, OPERATOR)
                else:
                    chance.choice(on_tasks)(chance.choice(task_ids), OPERATOR)
            except RefusedError:
                continue

    in_threads(act)
    assert_journals_hold()
    assert_replay_gives_the_present()
    assert Task.objects.filter(admitted=True).count() <= 3


def test_operators_and_workers_on_the_same_rows_never_deadlock(sandbox: Sandbox) -> None:
    plan = switched_plan(12, max_concurrency=6)
    task_ids = list(Task.objects.values_list("pk", flat=True))
    ended = threading.Event()

    def act(number: int) -> None:
        if number < 3:
            try:
                work_off()
            finally:
                ended.set()
            return
        chance = random.Random(number)
        for _ in range(10):
            if ended.is_set():
                return
            try:
                if number == 3:
                    operations.pause_plan(plan.pk, OPERATOR)
                    operations.resume_plan(plan.pk, OPERATOR)
                else:
                    task_id = chance.choice(task_ids)
                    operations.pause_task(task_id, OPERATOR)
                    operations.resume_task(task_id, OPERATOR)
            except RefusedError:
                continue

    in_threads(act, 6)
    if Plan.objects.get().state == "PAUSED":
        operations.resume_plan(plan.pk, OPERATOR)
    for task_id in Task.objects.filter(state="PAUSED").values_list("pk", flat=True):
        operations.resume_task(task_id, OPERATOR)
    work_off()
    assert set(Task.objects.values_list("state", flat=True)) == {"COMPLETED"}
    assert_journals_hold()
    assert_replay_gives_the_present()
