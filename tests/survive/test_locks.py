"""Who holds a plan, or a journal, holds up nobody who can do without."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connection, connections, transaction

from bluegreen.sqlite import base
from plans import operations
from plans.engine import executor, scheduler
from plans.engine import lease as leases
from plans.engine.task_run import TaskRun
from plans.models import Journal, Plan, PlanState, Task, TaskState
from plans.operations.looked import operating_on_plan
from plans.stages.base import Done
from tests.plans.rows import make_rows
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import WAIT_SECONDS, wait_until
from tests.survive.crew import FINISH_SECONDS, UNPARKED

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_runner_commits_while_an_operation_has_locked_the_plan(sandbox: Sandbox) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one lock for all")
    plan = make_plan(["tenant-001"], parameters=UNPARKED)
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get()

    def run() -> None:
        try:
            executor.run(task.pk, WORKER)
        finally:
            connections.close_all()

    runner = threading.Thread(target=run)
    with operating_on_plan(plan.pk, OPERATOR):
        runner.start()
        wait_until(
            lambda: Task.objects.get().state == TaskState.COMPLETED,
            message="the runner's commits do not wait for the plan",
        )
    runner.join(60)
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED


def closing(work: Callable[[], None]) -> None:
    """Do `work` in a thread of its own, whose connection ends with it."""
    try:
        work()
    finally:
        connections.close_all()


def leases_end() -> dict[int, datetime]:
    return dict(Task.objects.filter(lease_owner=WORKER).values_list("pk", "lease_expires_at"))


def waiting_for_locks() -> int:
    """How many sessions of this database wait; the cluster has those of other tests, too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks AS waiting WHERE NOT granted AND pid IN"
            " (SELECT pid FROM pg_locks AS held JOIN pg_database ON held.database = oid"
            " WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


def test_a_journal_that_is_stuck_costs_no_other_plan_its_leases() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one lock for all")
    plan, [stuck, _] = make_rows("RUNNING", "RUNNING", "COMPLETED", admitted=True)
    _, [_, innocent] = make_rows("RUNNING", "COMPLETED", "RUNNING", admitted=True)
    runs = [run for task in (stuck, innocent) if (run := TaskRun.take(task.pk, WORKER))]
    with ThreadPoolExecutor(2) as in_threads, transaction.atomic():
        Journal.objects.select_for_update(no_key=True).get(pk=plan.journal_id)
        writing = in_threads.submit(closing, lambda: runs[0].advance(Done(), "READ"))
        wait_until(waiting_for_locks, message="the runner has locked its task, and waits")
        before = leases_end()
        beat = in_threads.submit(closing, lambda: leases.extend_all(WORKER))
        beat.result(WAIT_SECONDS)
        meanwhile = leases_end()
    writing.result()
    leases.extend_all(WORKER)
    after = leases_end()
    for run in runs:
        run.lease.ensure()
        leases.forget(run.lease)
    assert before[innocent.pk] < meanwhile[innocent.pk] < after[innocent.pk]
    assert before[stuck.pk] == meanwhile[stuck.pk] < after[stuck.pk]


def test_settling_while_tasks_run_ends_in_no_deadlock(sandbox: Sandbox) -> None:
    tenants = [f"tenant-{n:03}" for n in range(1, 13)]
    plan = make_plan(tenants, max_concurrency=4)
    operations.start_plan(plan.pk, OPERATOR)
    errors: list[BaseException] = []
    done = threading.Event()

    def repeat(action: str) -> None:
        try:
            while not done.is_set():
                if action == "settle":
                    scheduler.settle(plan.pk)
                else:
                    for task in Task.objects.filter(admitted=True, lease_owner=""):
                        executor.run(task.pk, f"{WORKER}-{threading.get_ident()}")
                done.wait(0.001)
        except BaseException as error:
            errors.append(error)
            done.set()
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=repeat, args=(action,))
        for action in ("settle", "settle", "run", "run", "run", "run")
    ]
    for thread in threads:
        thread.start()
    wait_until(
        lambda: done.is_set() or Plan.objects.get().state == PlanState.COMPLETED,
        FINISH_SECONDS,
        lambda: f"the plan is completed; {list(Task.objects.values_list('tenant', 'state'))}",
    )
    done.set()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_a_single_statement_waits_its_turn_among_the_writers_of_its_process(
    sandbox: Sandbox,
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    make_plan(["tenant-001"])
    written = threading.Event()

    def write() -> None:
        Task.objects.update(wake_at=None)
        written.set()
        connections.close_all()

    writer = threading.Thread(target=write)
    with base._writer:
        writer.start()
        # It must not go on to wait in SQLite, where those that come later may overtake it.
        assert not written.wait(0.1)
    assert written.wait(60)
    writer.join(60)
