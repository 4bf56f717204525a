"""The effects ledger: what a task called, kept with its stage runs (X6)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans import conf, effects, operations
from plans.effects import Ledger
from plans.engine import clock, executor
from plans.engine.clock import in_seconds
from plans.engine.task_run import TaskRun
from plans.message import Message
from plans.models import StageRun, Task
from plans.stages.base import Done, Wait
from tests.plans.rows import make_rows
from tests.plans.switching import QUICK, TENANT, break_stage, failed_at, switched_plan
from tests.support.driving import OPERATOR, WORKER, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)

BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def calls(stage: str, **fields: Any) -> list[dict[str, Any]]:
    run = StageRun.objects.filter(stage=stage, **fields).latest("pk")
    found: list[dict[str, Any]] = (run.effects or {}).get("calls", [])
    return found


def call_something(run: TaskRun, times: int = 1) -> None:
    with effects.collecting(run.ledger):
        for number in range(times):
            with effects.noting("GATEWAY", "GET", f"http://gateway/{number}") as effect:
                effect.status = 200


def taken() -> TaskRun:
    """A task with a worker at its second stage."""
    make_rows("RUNNING", "RUNNING", admitted=True)
    run = TaskRun.take(Task.objects.get().pk, WORKER)
    assert run is not None
    return run


def statements(queries: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in queries.captured_queries if not q["sql"].startswith(BRACKETS)]


def test_every_call_that_the_outside_saw_stands_in_the_ledger(sandbox: Sandbox) -> None:
    switched_plan()
    work_off()
    noted = [
        (call["method"], call["key"], call["fence"])
        for run in StageRun.objects.order_by("pk")
        for call in run.effects["calls"]
        if call["service"] != effects.REDIS
    ]
    seen = [
        (call["method"], call["idempotencyKey"], call["fence"])
        for call in calls_of(sandbox.calls(), TENANT)
        if call["idempotencyKey"]
    ]
    assert sorted(noted) == sorted(seen)
    assert len(noted) >= 3 + 3 * 3
    (route,) = calls("switch_route")
    task = Task.objects.get()
    assert route["address"] == f"{conf.GATEWAY_URL}/routes/{TENANT}"
    assert route["key"] == f"{task.pk}-switch_route-forward-1"
    assert (route["service"], route["method"], route["status"]) == ("GATEWAY", "PUT", 200)
    assert route["ms"] > 0


def test_reads_and_writes_of_redis_stand_there_with_what_became_of_them(sandbox: Sandbox) -> None:
    switched_plan()
    work_off()
    key = f"bg:config:{TENANT}"
    redis = [c for c in calls("read_tenant") if c["service"] == effects.REDIS]
    assert [(c["method"], c["address"], c["outcome"]) for c in redis] == [
        ("HMGET", key, "FOUND NOTHING")
    ]
    written = calls("deliver_config")[0]
    assert (written["method"], written["outcome"]) == ("HSET PUBLISH", "WRITTEN 20")
    assert written["fence"] == Task.objects.get().lease_epoch


def test_a_failed_stage_keeps_its_calls_with_their_codes(sandbox: Sandbox) -> None:
    task = failed_at(sandbox, "switch_route")
    (refused,) = calls("switch_route")
    assert (refused["status"], refused["code"]) == (400, "GATEWAY_REJECTED")
    operations.retry_task(task.pk, OPERATOR)
    work_off()
    (again,) = calls("switch_route")
    assert again["key"].endswith("-switch_route-forward-2")
    assert again["status"] == 200
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    (back,) = calls("switch_route", direction="rollback")
    assert back["key"].endswith("-switch_route-rollback-1")


def test_a_try_that_is_repeated_keeps_its_calls_apart(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=503, times=1)
    switched_plan()
    work_off()
    runs = StageRun.objects.filter(stage="switch_route").order_by("pk")
    statuses = [[call["status"] for call in run.effects["calls"]] for run in runs]
    assert statuses == [[503], [200]]


def test_a_parked_stage_keeps_what_it_called_and_goes_on_with_it(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.apply", "drop", instance=2)
    polls = {"deliver_config": {"retry": "fixed", "poll_seconds": 1.0}}
    switched_plan(parameters=QUICK | polls)
    task = Task.objects.get()
    counts = []
    for _ in range(3):
        Task.objects.filter(wake_at__isnull=False).update(wake_at=in_seconds(-1))
        executor.run(task.pk, WORKER)
        run = StageRun.objects.get(stage="deliver_config")
        assert run.finished_at is None
        counts.append(run.effects["count"])
    assert counts[0] < counts[1] < counts[2]
    assert len(run.effects["calls"]) == counts[2]
    operations.pause_task(task.pk, OPERATOR)
    assert StageRun.objects.get(stage="deliver_config").effects["count"] == counts[2]


def test_a_worker_that_gives_its_task_back_tells_what_it_called() -> None:
    run = taken()
    call_something(run)
    run.give_back()
    again = TaskRun.take(run.task.pk, "another")
    assert again is not None
    call_something(again, 2)
    again.advance(Done(), "ON")
    stored = StageRun.objects.earliest("pk").effects
    assert (stored["count"], "gaps" in stored) == (3, False)


def test_a_worker_that_was_lost_leaves_a_gap_that_is_known() -> None:
    run = taken()
    call_something(run)
    Task.objects.update(lease_expires_at=in_seconds(-1))
    successor = TaskRun.take(run.task.pk, "another")
    assert successor is not None
    call_something(successor)
    successor.park(Wait(5, Message("for a while")))
    stored = StageRun.objects.get().effects
    assert (stored["count"], stored["gaps"]) == (1, 1)


def test_an_operator_who_interrupts_takes_no_call_from_the_ledger() -> None:
    run = taken()
    call_something(run)
    operations.pause_task(run.task.pk, OPERATOR)
    run.advance(Done(), "ON")
    assert Task.objects.get().state == "PAUSED"
    assert StageRun.objects.get().effects["count"] == 1


def test_a_ledger_costs_no_statement_at_a_stages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is asked for the time once a minute: now, and not while statements are counted.
    monkeypatch.setattr(clock, "_told", None)
    run = taken()
    with CaptureQueriesContext(connection) as without:
        run.advance(Done(), "ON")
    call_something(run, 5)
    with CaptureQueriesContext(connection) as with_calls:
        run.advance(Done(), "ON")
    assert len(statements(with_calls)) == len(statements(without)) <= 6


def test_a_poll_of_a_thousand_rounds_stays_small() -> None:
    run = taken()
    call_something(run, 3000)
    run.advance(Done(), "ON")
    stored = StageRun.objects.earliest("pk").effects
    assert stored["count"] == 3000
    assert len(stored["calls"]) == conf.EFFECTS_FIRST + conf.EFFECTS_LAST
    assert stored["calls"][0]["address"].endswith("/0")
    assert stored["calls"][-1]["address"].endswith("/2999")
    again = Ledger(stored).as_json()
    assert again == stored


def test_a_call_that_hangs_stands_there_without_an_end(sandbox: Sandbox) -> None:
    ledger = Ledger()
    with effects.collecting(ledger), effects.noting("INSTANCE", "GET", "http://a/\x00") as effect:
        stored = ledger.as_json()
        assert stored is not None
        assert "ms" not in stored["calls"][0]
        assert stored["calls"][0]["address"] == "http://a/\\x00"
    assert effect.milliseconds is not None


def test_what_is_called_outside_a_stage_is_kept_nowhere(sandbox: Sandbox) -> None:
    break_stage(sandbox, "read_tenant")
    with effects.noting("GATEWAY", "GET", "http://gateway/") as effect:
        pass
    assert effect.at == ""
