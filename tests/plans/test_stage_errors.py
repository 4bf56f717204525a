"""Every fault of the outside world at every step: its code, and whether it is tried again."""

from itertools import pairwise
from typing import Any

import pytest

from plans.models import Event, EventKind, Plan, PlanState, StageRun, Task, TaskState
from tests.plans.hanging import KINDS as HANGS
from tests.plans.hanging import give_up_soon_what_hangs
from tests.plans.switching import TENANT, end_deliveries, place, switched_plan, work_until
from tests.support.driving import work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)

TRIES = 3
CALLS = {
    "ob.get_tenant": ("read_tenant", "OB_SERVICE"),
    "gateway.get_route": ("read_tenant", "GATEWAY"),
    "gateway.put_route": ("switch_route", "GATEWAY"),
    "ob.put_status": ("update_status", "OB_SERVICE"),
}
Fault = tuple[str, dict[str, Any], str, str, int]
FAULTS: list[Fault] = [
    ("status", {"code": 400}, "REJECTED", "EXECUTION", 1),
    ("status", {"code": 409}, "REJECTED", "EXECUTION", 1),
    ("status", {"code": 408}, "REJECTED", "EXECUTION", TRIES),
    ("status", {"code": 425}, "REJECTED", "EXECUTION", TRIES),
    ("status", {"code": 429}, "REJECTED", "EXECUTION", TRIES),
    ("status", {"code": 500}, "UNAVAILABLE", "NETWORK", TRIES),
    ("status", {"code": 503}, "UNAVAILABLE", "NETWORK", TRIES),
    ("hang", {}, "TIMEOUT", "TIMEOUT", TRIES),
    ("hang_after_headers", {}, "TIMEOUT", "TIMEOUT", TRIES),
    ("drop", {}, "UNREACHABLE", "NETWORK", TRIES),
    ("drop_after_apply", {}, "UNREACHABLE", "NETWORK", TRIES),
    ("garbage", {}, "BAD_ANSWER", "EXECUTION", 1),
    ("huge", {}, "BAD_ANSWER", "EXECUTION", 1),
]


def assert_failed(tenant: str, step: str, code: str, kind: str, tries: int) -> None:
    stage, service = CALLS[step]
    task = Task.objects.get(tenant=tenant)
    assert task.state == TaskState.FAILED
    assert (task.failure["errorCode"], task.failure["kind"]) == (f"{service}_{code}", kind)
    assert (task.failure["stage"], task.step) == (stage, stage)
    runs = list(task.stage_runs.filter(stage=stage).order_by("attempt"))
    assert [(run.attempt, run.state) for run in runs] == [
        (n, "FAILED") for n in range(1, tries + 1)
    ]
    assert {run.failure["errorCode"] for run in runs} == {f"{service}_{code}"}
    assert task.events.filter(kind=EventKind.STAGE_FAILED).count() == tries


def fail_one_tenant_each(sandbox: Sandbox, step: str, faults: list[Fault]) -> None:
    """Run one plan in which every fault has a tenant of its own."""
    tenants = [f"tenant-{n:03}" for n in range(1, len(faults) + 1)]
    for tenant, (kind, more, *_) in zip(tenants, faults, strict=True):
        sandbox.add_fault(tenant, step, kind, **more)
    switched_plan(len(tenants), failure_policy="continue")
    work_off()
    calls = sandbox.calls()
    for tenant, (kind, _, code, failure_kind, tries) in zip(tenants, faults, strict=True):
        assert_failed(tenant, step, code, failure_kind, tries)
        keys = {call["idempotencyKey"] for call in calls_of(calls, tenant, step)}
        # A slow machine may give one up before it is sent.
        assert len(keys) == tries or (kind in HANGS and len(keys) < tries)
    assert Plan.objects.get().state == PlanState.FAILED


@pytest.mark.parametrize("step", CALLS)
def test_every_fault_of_a_service_has_its_code_and_its_number_of_tries(
    sandbox: Sandbox, step: str
) -> None:
    fail_one_tenant_each(sandbox, step, [fault for fault in FAULTS if fault[0] not in HANGS])


@pytest.mark.parametrize("step", CALLS)
def test_a_service_that_does_not_answer_is_given_up_after_three_tries(
    sandbox: Sandbox, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon_what_hangs(sandbox, monkeypatch)
    fail_one_tenant_each(sandbox, step, [fault for fault in FAULTS if fault[0] in HANGS])


@pytest.mark.parametrize("step", ["ob.get_tenant", "gateway.get_route"])
def test_an_answer_without_a_needed_field_is_a_bad_one(sandbox: Sandbox, step: str) -> None:
    sandbox.add_fault(TENANT, step, "missing_field")
    switched_plan()
    work_off()
    assert_failed(TENANT, step, "BAD_ANSWER", "EXECUTION", 1)


UNWELL = ["hang", "drop", "garbage", "huge", "missing_field", "unhealthy"]
NOT_ACKNOWLEDGED = {
    "hang": ("ACK_TIMEOUT", "TIMEOUT"),
    "drop": ("ACK_TIMEOUT", "TIMEOUT"),
    "wrong_version": ("ACK_MISMATCH", "EXECUTION"),
    "garbage": ("ACK_ERROR", "EXECUTION"),
    "missing_field": ("ACK_ERROR", "EXECUTION"),
}


def break_one_instance_each(sandbox: Sandbox, step: str, kinds: list[str], **options: Any) -> None:
    for number, kind in enumerate(kinds, 1):
        sandbox.add_fault(f"tenant-{number:03}", step, kind, instance=2)
    switched_plan(len(kinds), failure_policy="continue", **options)


def ended() -> list[Task]:
    work_off()
    return list(Task.objects.order_by("position"))


def all_others_have_confirmed() -> bool:
    notes = Task.objects.values_list("wait_note", flat=True)
    return all(note and note["values"]["confirmed"] == 2 for note in notes)


def test_one_unwell_instance_fails_the_health_check(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon_what_hangs(sandbox, monkeypatch)
    break_one_instance_each(sandbox, "instance.health", UNWELL)
    for task in ended():
        assert task.failure["errorCode"] == "HEALTH_CHECK_FAILED"
        assert task.failure["reason"].startswith("2 of 3 instances are healthy with version")
        assert len(task.failure["message"]["values"]["instances"]) == 3
        assert place(sandbox, task.tenant_id) == ("green", "BLUE")


def test_health_is_asked_as_often_and_as_seldom_as_the_plan_says(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.health", "unhealthy", instance=2)
    switched_plan(parameters={"check_health": {"interval_seconds": 0.4, "attempts": 3}})
    work_off()
    started = sorted(
        call["started"] for call in calls_of(sandbox.calls(), TENANT, "instance.health")
    )
    assert len(started) == 3 * 3  # Three rounds of three instances each.
    rounds = [started[n : n + 3] for n in (0, 3, 6)]
    assert all(later[0] - earlier[0] >= 0.4 for earlier, later in pairwise(rounds))
    assert Task.objects.get().failure["message"]["values"]["attempts"] == 3


def test_an_instance_with_another_version_fails_the_health_check(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.health", "wrong_version", version="7")
    switched_plan()
    work_off()
    failure = Task.objects.get().failure
    assert failure["errorCode"] == "HEALTH_CHECK_FAILED"
    assert set(failure["message"]["values"]["instances"].values()) == {"UP 7"}


def test_one_instance_that_does_not_acknowledge_is_waited_for_and_then_fails_the_delivery(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon_what_hangs(sandbox, monkeypatch)
    # They wait at the same time, because they are parked.
    params = {"retry": "fixed", "poll_seconds": 1.0, "ack_timeout_seconds": 3600}
    break_one_instance_each(
        sandbox,
        "instance.config",
        list(NOT_ACKNOWLEDGED),
        parameters={"deliver_config": params},
    )
    work_until(all_others_have_confirmed)
    end_deliveries()
    for task, expected in zip(ended(), NOT_ACKNOWLEDGED.values(), strict=True):
        assert (task.failure["errorCode"], task.failure["kind"]) == expected
        assert task.failure["reason"].startswith("2 of 3 instances confirmed version 20 within")
        assert place(sandbox, task.tenant_id) == ("blue", "BLUE")


def test_an_instance_that_comes_late_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.apply", "latency", seconds=0.3, instance=1)
    switched_plan(parameters={})
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED


@pytest.mark.parametrize("kind", ["status", "hang", "drop", "drop_after_apply"])
def test_a_passing_fault_is_outlasted(
    sandbox: Sandbox, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon_what_hangs(sandbox, monkeypatch)
    for number, step in enumerate(CALLS, 1):
        # A broken connection that had been idle is replaced at once, within the same try.
        sandbox.add_fault(f"tenant-{number:03}", step, kind, times=2)
    switched_plan(len(CALLS))
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    for number in range(1, len(CALLS) + 1):
        assert place(sandbox, f"tenant-{number:03}") == ("green", "GREEN")
    assert not Event.objects.filter(kind=EventKind.TASK_FAILED).exists()
    assert not StageRun.objects.filter(state="RUNNING").exists()


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured_and_holds_no_worker(sandbox: Sandbox, code: int) -> None:
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=code, retry_after="1", times=1)
    switched_plan()
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED
    puts = calls_of(sandbox.calls(), TENANT, "gateway.put_route")
    assert [call["status"] for call in puts] == [code, 200]
    assert all(later["started"] - call["ended"] >= 1 for call, later in pairwise(puts))
    failed = Event.objects.get(kind=EventKind.STAGE_FAILED)
    assert failed.data["nextTryInSeconds"] == 1.0
    # Parked and taken again: the epoch has grown meanwhile.
    assert [call["fence"] for call in puts] == [1, 2]


def test_a_tenant_that_vanished_from_the_ob_service_fails_at_once(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "ob.get_tenant", "status", code=404)
    switched_plan()
    work_off()
    failure = Task.objects.get().failure
    assert failure["errorCode"] == "OB_SERVICE_REJECTED"
    assert failure["reason"] == f"The OB service does not know tenant {TENANT}."


def test_a_tenant_without_a_route_of_its_own_follows_its_status(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "gateway.get_route", "status", code=404)
    switched_plan()
    work_off()
    task = Task.objects.get()
    assert (task.state, task.previous["route"]) == (TaskState.COMPLETED, "blue")
