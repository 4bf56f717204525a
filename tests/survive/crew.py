"""Real workers and conductors, and what they leave in the database."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Q

from plans.models import (
    Event,
    EventKind,
    Leadership,
    Plan,
    PlanState,
    StageRun,
    StageRunState,
    Task,
)
from plans.models.journal import GENESIS
from tests.support.processes import LOG_TAIL_BYTES, Processes, RunningProcess
from tests.support.waiting import wait_until
from tests.survive.nursery import Nursery

FINISH_SECONDS = 150.0
SHORT_LEASE = {"LEASE_SECONDS": "3"}
"""For who shall be replaced soon after it was killed."""
LONG_LEASE_SECONDS = 60.0
"""For who shall be replaced by nobody, however busy the machine is."""
UNPARKED = {"deliver_config": {"retry": "fixed", "poll_seconds": 0.2}}
"""Parameters of plans without a conductor, who alone wakes what is parked: however late an
instance is, no task is."""
STARTED = "runs up to"


class Crew:
    """Starts workers, which are ready when they are handed out, and conductors."""

    def __init__(self, processes: Processes, nursery: Nursery, folder: Path) -> None:
        self.processes = processes
        self._nursery = nursery
        self._folder = folder
        self._started: list[RunningProcess] = []

    def worker(self, threads: int = 16, lease_seconds: float = 0.0) -> RunningProcess:
        return self.workers(1, threads, lease_seconds)[0]

    def workers(
        self, count: int, threads: int = 16, lease_seconds: float = 0.0
    ) -> list[RunningProcess]:
        """They start side by side; `lease_seconds` 0 is a short lease."""
        command = ("worker", "--threads", str(threads))
        started = [self._fork(*command, lease_seconds=lease_seconds) for _ in range(count)]
        for worker in started:
            worker.wait_for_log(STARTED)
        return started

    def conductor(self) -> RunningProcess:
        """It is still starting: whatever needs it waits for it anyway."""
        return self._fork("conductor")

    def stop(self) -> None:
        """Stop whatever still runs; what each printed last joins a failure's report."""
        for process in self._started:
            process.thaw()
            process.kill()
            print(f"--- {process.name} ---\n{process.log[-LOG_TAIL_BYTES:]}")

    def _fork(self, *command: str, lease_seconds: float = 0.0) -> RunningProcess:
        name = f"{command[0]}-{len(self._started) + 1}"
        process = self._nursery.fork(name, self._folder, *command, lease_seconds=lease_seconds)
        self._started.append(process)
        return process

    def freeze(self, process: RunningProcess) -> None:
        """SIGSTOP it while it holds no lock in the database, as nearly every moment is."""

        def frozen() -> bool:
            process.freeze()
            if nobody_holds_a_lock():
                return True
            process.thaw()
            return False

        wait_until(frozen, message=f"{process.name} is frozen outside of a transaction")


def wait_for_plan(plan: Plan, state: PlanState, timeout_seconds: float = FINISH_SECONDS) -> None:
    wait_until(
        lambda: Plan.objects.get(pk=plan.pk).state == state,
        timeout_seconds,
        lambda: f"the plan is {state}; its tasks: {_told(plan)}",
    )


def wait_for_tasks(plan: Plan, count: int, **conditions: Any) -> None:
    """Wait until at least `count` tasks fulfil `conditions`."""
    wait_until(
        lambda: Task.objects.filter(plan=plan, **conditions).count() >= count,
        FINISH_SECONDS,
        lambda: f"{count} tasks with {conditions}; its tasks: {_told(plan)}",
    )


def assert_sequence_is_whole(plan: Plan) -> None:
    """The events of the plan are numbered without a gap and chained."""
    before = GENESIS
    events = list(Event.objects.filter(journal=plan.journal_id).order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert event.hash == event.chained_hash(before), f"event {event} breaks the chain"
        before = event.hash


def assert_each_stage_ran_once(plan: Plan, *, but: Callable[[str], bool] = lambda _: False) -> None:
    """Every stage of every task has one run, and it is completed; tenants for which `but` aside."""
    runs = Counter(
        (run.task.tenant_id, run.stage)
        for run in StageRun.objects.filter(task__plan=plan).select_related("task")
        if not but(run.task.tenant_id)
    )
    assert {key: count for key, count in runs.items() if count != 1} == {}
    unfinished = StageRun.objects.filter(~Q(state=StageRunState.COMPLETED), task__plan=plan)
    assert [str(run) for run in unfinished if not but(run.task.tenant_id)] == []


def leads(conductor: RunningProcess) -> bool:
    """Whether it is the one that leads, by the process id in the holder's name."""
    return Leadership.objects.filter(
        role="conductor", holder__contains=f":{conductor.pid}:"
    ).exists()


def takeovers(plan: Plan) -> list[Event]:
    return list(Event.objects.filter(plan=plan, kind=EventKind.TASK_TAKEN_OVER).order_by("seq"))


def nobody_holds_a_lock() -> bool:
    if connection.vendor == "sqlite":
        other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0.3)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
        except sqlite3.OperationalError:
            return False
        finally:
            other.close()
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return bool(cursor.fetchone()[0] == 0)


def _told(plan: Plan) -> list[tuple[Any, ...]]:
    return list(
        Task.objects.filter(plan=plan)
        .exclude(state="COMPLETED")
        .values_list("tenant", "state", "step", "admitted", "lease_owner", "lease_expires_at")[:20]
    )
