"""What threads store at the same moment is one transaction, and each is told for itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.db import DataError, IntegrityError, OperationalError, connections, transaction

from plans.engine import group_commit
from plans.engine.clock import in_seconds
from plans.engine.group_commit import RunnerRecord
from plans.engine.task_run import TaskRun
from plans.errors import Superseded
from plans.message import Message
from plans.models import Direction, Event, Journal, StageRun, Task
from plans.stages.base import Done, Wait
from tests.plans.rows import make_rows
from tests.support.driving import WORKER
from tests.support.waiting import wait_until
from tests.survive.crew import assert_sequence_is_whole

pytestmark = pytest.mark.django_db(transaction=True)

RUNNERS = 6


@pytest.fixture
def runs() -> list[TaskRun]:
    """As many runners of one plan, each at its second stage."""
    make_rows("RUNNING", *["RUNNING"] * RUNNERS, admitted=True)
    taken = [TaskRun.take(task.pk, WORKER) for task in Task.objects.order_by("pk")]
    return [run for run in taken if run]


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records went into each transaction."""
    sizes: list[int] = []
    write = group_commit.write

    def counted(records: Sequence[RunnerRecord]) -> None:
        sizes.append(len(records))
        write(records)

    monkeypatch.setattr(group_commit, "write", counted)
    return sizes


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(RUNNERS) as pool:
        yield pool


def advance(run: TaskRun) -> None:
    run.advance(Done(), "DELIVERED")


def at_once(
    threads: ThreadPoolExecutor,
    runs: Sequence[TaskRun],
    then: Callable[[], None] = lambda: None,
    act: Callable[[TaskRun], None] = advance,
) -> list[Future[None]]:
    """All end their stage while somebody holds the journal; `then` happens before it is free."""

    def end_stage(run: TaskRun) -> None:
        try:
            act(run)
        finally:
            connections.close_all()

    store, leads = group_commit._store, threading.Event()

    def leading(turns: Sequence[Any]) -> None:
        leads.set()
        store(turns)

    journal_id = runs[0].plan.journal_id
    with transaction.atomic(), mock.patch.object(group_commit, "_store", leading):
        Journal.objects.select_for_update().get(pk=journal_id)
        first = threads.submit(end_stage, runs[0])
        # Not only first in line: whoever came before it has looked round would go with it.
        assert leads.wait(60)
        ended = [first, *(threads.submit(end_stage, run) for run in runs[1:])]
        wait_until(lambda: waiting(journal_id) == len(runs) - 1, message="all others wait")
        then()
    for future in ended:
        future.exception(60)
    return ended


def waiting(journal_id: int) -> int | None:
    line = group_commit._Turn._lines.get(journal_id)
    return None if line is None else len(line)


def test_who_waits_for_the_journal_is_stored_with_the_others(
    runs: list[TaskRun], threads: ThreadPoolExecutor, together: list[int]
) -> None:
    for ended in at_once(threads, runs):
        ended.result()
    assert together == [1, RUNNERS - 1]
    assert set(Task.objects.values_list("cursor", flat=True)) == {2}
    assert_sequence_is_whole(runs[0].plan)
    kinds = list(Event.objects.order_by("seq").values_list("kind", flat=True))
    assert kinds.count("stage.completed") == RUNNERS
    assert waiting(runs[0].plan.journal_id) is None


def test_who_was_replaced_is_told_and_the_others_are_stored(
    runs: list[TaskRun], threads: ThreadPoolExecutor
) -> None:
    late = runs[2]
    Task.objects.filter(pk=late.task.pk).update(lease_expires_at=in_seconds(-1))
    assert TaskRun.take(late.task.pk, "another")
    before = Task.objects.filter(pk=late.task.pk).values().get()
    ended = at_once(threads, runs)
    assert isinstance(ended[2].exception(), Superseded)
    assert [future.exception() for n, future in enumerate(ended) if n != 2] == [None] * 5
    assert Task.objects.filter(pk=late.task.pk).values().get() == before
    assert Task.objects.filter(cursor=2).count() == RUNNERS - 1
    assert_sequence_is_whole(late.plan)


def test_who_was_replaced_by_a_worker_that_is_ahead_is_told_so(
    runs: list[TaskRun], threads: ThreadPoolExecutor
) -> None:
    late = runs[2]
    Task.objects.filter(pk=late.task.pk).update(lease_expires_at=in_seconds(-1))
    ahead = TaskRun.take(late.task.pk, "another")
    assert ahead
    ahead.advance(Done(), "DELIVERED")
    ended = at_once(threads, runs)
    assert isinstance(ended[2].exception(), Superseded)
    assert [future.exception() for n, future in enumerate(ended) if n != 2] == [None] * 5
    assert Task.objects.filter(cursor=2).count() == RUNNERS
    assert_sequence_is_whole(late.plan)


def test_what_cannot_be_stored_of_one_is_no_fault_of_the_others(
    runs: list[TaskRun], threads: ThreadPoolExecutor, together: list[int]
) -> None:
    broken = runs[3].task
    StageRun.objects.create(
        task=broken,
        stage=broken.pipeline[2]["name"],
        index=2,
        direction=Direction.FORWARD,
        attempt=1,
        epoch=1,
        started_at=broken.created_at,
    )
    ended = at_once(threads, runs)
    assert isinstance(ended[3].exception(), IntegrityError)
    assert [future.exception() for n, future in enumerate(ended) if n != 3] == [None] * 5
    assert together == [1, RUNNERS - 1, *[1] * (RUNNERS - 1)]
    assert Task.objects.get(pk=broken.pk).cursor == 1
    assert Task.objects.filter(cursor=2).count() == RUNNERS - 1
    assert_sequence_is_whole(runs[0].plan)


def test_a_task_that_cannot_be_written_is_no_fault_of_the_others(
    runs: list[TaskRun], threads: ThreadPoolExecutor
) -> None:
    broken = runs[3]

    def act(run: TaskRun) -> None:
        if run is broken:
            run.park(Wait(2e13, Message("until no database can say when")))
        else:
            advance(run)

    ended = at_once(threads, runs, act=act)
    assert isinstance(ended[3].exception(), DataError | OverflowError)
    assert [future.exception() for n, future in enumerate(ended) if n != 3] == [None] * 5
    assert Task.objects.get(pk=broken.task.pk).cursor == 1
    assert Task.objects.filter(cursor=2).count() == RUNNERS - 1


def test_all_are_told_when_the_database_fails_them(
    runs: list[TaskRun], threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(records: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    def fails_from_now_on() -> None:
        monkeypatch.setattr(group_commit, "write", away)

    ended = at_once(threads, runs, then=fails_from_now_on)
    assert [type(future.exception()) for future in ended[1:]] == [OperationalError] * 5
    assert waiting(runs[0].plan.journal_id) is None
