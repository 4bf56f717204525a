"""The stage that notifies: who is told what, when, how often, and how it is undone (S7)."""

from typing import Any

import pytest

from plans import conf, operations
from plans.models import Direction, Event, EventKind, StageRun, StageRunState, Task, TaskState
from plans.stores import tenant_config
from tests.plans.switching import TENANT, failed_at, hold_old_config, place, switched_plan
from tests.support.driving import OPERATOR, work_off
from tests.support.sandbox import Call, Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)


def notices(sandbox: Sandbox, after: int = 0, tenant: str = TENANT) -> list[Call]:
    return calls_of(sandbox.calls(after), tenant, "instance.notify")


def run_of(direction: Direction = Direction.FORWARD) -> StageRun:
    return StageRun.objects.filter(stage="notify_services", direction=direction).latest("pk")


def test_every_instance_is_told_once_after_the_delivery_and_before_the_route(
    sandbox: Sandbox,
) -> None:
    switched_plan()
    work_off()
    task = Task.objects.get()
    assert task.state == TaskState.COMPLETED
    told = notices(sandbox)
    assert sorted(call["instance"] for call in told) == [1, 2, 3]
    for call in told:
        assert call["body"] == {"tenantId": TENANT, "version": "20", "color": "green"}
        assert call["idempotencyKey"] == f"{task.pk}-notify_services-forward-1"
        assert call["fence"] == 1
    steps = [call["step"] for call in calls_of(sandbox.calls(), TENANT)]
    last_told = max(n for n, step in enumerate(steps) if step == "instance.notify")
    assert "instance.config" not in steps[steps.index("instance.notify") :]
    assert last_told < steps.index("gateway.put_route")


def test_the_result_says_who_was_told_how_often_and_what_they_answered(sandbox: Sandbox) -> None:
    switched_plan()
    work_off()
    endpoints = Task.objects.get().context["endpoints"]
    run = run_of()
    assert run.state == StageRunState.COMPLETED
    assert run.result["version"] == "20"
    assert run.result["services"] == [
        {
            "service": "instances",
            "address": endpoint,
            "strategy": "direct_rpc",
            "told": True,
            "tries": 1,
            "answer": f'{{"tenantId": "{TENANT}", "version": "20"}}',
            "code": "",
        }
        for endpoint in endpoints
    ]
    done = Event.objects.get(kind=EventKind.STAGE_COMPLETED, data__stage="notify_services")
    assert done.data["result"] == run.result


def test_who_was_told_is_not_told_again_when_others_are_tried_again(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.notify", "status", code=503, instance=2, times=2)
    switched_plan()
    work_off()
    told = notices(sandbox)
    assert [sum(call["instance"] == n for call in told) for n in (1, 2, 3)] == [1, 3, 1]
    assert len({call["idempotencyKey"] for call in told}) == 1
    assert [each["tries"] for each in run_of().result["services"]] == [1, 3, 1]
    assert StageRun.objects.filter(stage="notify_services").count() == 1
    waiting = Event.objects.get(kind=EventKind.TASK_WAITING, data__for__values__total=3)
    assert waiting.data["for"]["values"] == {
        "told": 2,
        "total": 3,
        "service": "instances",
        "code": "NOTIFY_UNAVAILABLE",
    }


def test_what_a_service_asks_for_is_waited_for_by_nobody_and_then_it_alone_is_told(
    sandbox: Sandbox,
) -> None:
    sandbox.add_fault(
        TENANT, "instance.notify", "status", code=429, retry_after="1", instance=1, times=1
    )
    switched_plan()
    work_off()
    # Parked meanwhile, so the epoch has grown; who had been told was remembered.
    assert [(call["instance"], call["fence"]) for call in notices(sandbox)][-1] == (1, 2)
    assert len(notices(sandbox)) == 4


Fault = tuple[str, dict[str, Any], str, str, int]
FAULTS: list[Fault] = [
    ("status", {"code": 404}, "REJECTED", "EXECUTION", 1),
    ("status", {"code": 429}, "REJECTED", "EXECUTION", 3),
    ("status", {"code": 500}, "UNAVAILABLE", "NETWORK", 3),
    ("drop", {}, "UNREACHABLE", "NETWORK", 3),
    ("drop_after_apply", {}, "UNREACHABLE", "NETWORK", 3),
    ("garbage", {}, "BAD_ANSWER", "EXECUTION", 1),
    ("huge", {}, "BAD_ANSWER", "EXECUTION", 1),
]
HANGING: list[Fault] = [
    ("hang", {}, "TIMEOUT", "TIMEOUT", 3),
    ("hang_after_headers", {}, "TIMEOUT", "TIMEOUT", 3),
]


def test_every_fault_has_its_code_and_its_number_of_tries(sandbox: Sandbox) -> None:
    assert_codes_and_tries(sandbox, FAULTS)


@pytest.mark.parametrize("fault", HANGING, ids=lambda fault: fault[0])
def test_a_service_that_hangs_has_its_code_and_its_number_of_tries(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    # Long enough for whoever does answer, on a busy machine.
    monkeypatch.setattr(conf, "HTTP_TIMEOUT_SECONDS", 4.0)
    assert_codes_and_tries(sandbox, [fault])


def assert_codes_and_tries(sandbox: Sandbox, faults: list[Fault]) -> None:
    """Each of so many tenants has one of the faults at its second instance."""
    tenants = [f"tenant-{n:03}" for n in range(1, len(faults) + 1)]
    for tenant, (kind, more, *_) in zip(tenants, faults, strict=True):
        sandbox.add_fault(tenant, "instance.notify", kind, instance=2, **more)
    switched_plan(len(faults), failure_policy="continue", parameters={})
    work_off()
    for tenant, (_, _, code, failure_kind, tries) in zip(tenants, faults, strict=True):
        task = Task.objects.get(tenant=tenant)
        failure = task.failure
        assert (task.state, failure["stage"]) == (TaskState.FAILED, "notify_services")
        assert (failure["errorCode"], failure["kind"]) == (f"NOTIFY_{code}", failure_kind)
        services = failure["message"]["values"]["services"]
        assert [each["told"] for each in services] == [True, False, True]
        assert (services[1]["code"], services[1]["tries"]) == (f"NOTIFY_{code}", tries)
        assert task.stage_runs.filter(stage="notify_services").count() == 1
        told = [call["instance"] for call in notices(sandbox, tenant=tenant)]
        assert (told.count(1), told.count(3)) == (1, 1)
        assert place(sandbox, tenant) == ("blue", "BLUE")


def test_a_plan_may_say_how_often_each_is_tried(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.notify", "status", code=503, instance=3)
    switched_plan(parameters={"notify_services": {"tries": 1}})
    work_off()
    assert Task.objects.get().failure["errorCode"] == "NOTIFY_UNAVAILABLE"
    assert len(notices(sandbox)) == 3


# --- Rolling back ------------------------------------------------------------------------------


def test_a_rollback_tells_the_old_colour_and_the_version_that_is_delivered_back(
    sandbox: Sandbox,
) -> None:
    hold_old_config()
    switched_plan()
    work_off()
    since = sandbox.last_call()
    operations.roll_back_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    held = tenant_config.read(TENANT)
    assert held
    assert (held.version, held.color) == (32, "blue")
    told = notices(sandbox, since)
    assert len(told) == 3
    assert {tuple(call["body"].values()) for call in told} == {(TENANT, "32", "blue")}
    assert {call["idempotencyKey"].split("-")[2] for call in told} == {"rollback"}
    steps = [call["step"] for call in calls_of(sandbox.calls(since), TENANT)]
    # The traffic is back before anybody is told, and the delivery is confirmed after it.
    assert steps.index("gateway.put_route") < steps.index("instance.notify")
    assert steps.index("instance.notify") < steps.index("instance.config")
    assert set(sandbox.versions(TENANT)) == {"32"}


def test_the_old_configuration_is_in_redis_before_a_rollback_tells(sandbox: Sandbox) -> None:
    hold_old_config()
    switched_plan()
    work_off()
    sandbox.add_fault(TENANT, "instance.notify", "status", code=400, instance=1)
    operations.roll_back_task(Task.objects.get().pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert (task.state, task.step) == (TaskState.ROLLBACK_FAILED, "notify_services")
    assert task.failure["errorCode"] == "NOTIFY_REJECTED"
    held = tenant_config.read(TENANT)
    assert held
    assert (held.version, held.color, held.payload) == (32, "blue", {"feature": "old"})
    assert place(sandbox) == ("blue", "BLUE")
    sandbox.clear_faults()
    since = sandbox.last_call()
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    held = tenant_config.read(TENANT)
    assert held
    last = {call["body"]["version"] for call in notices(sandbox, since)}
    assert last == {str(held.version)} == set(sandbox.versions(TENANT))


def test_who_refused_to_hear_of_the_switch_does_not_keep_its_tenant_from_coming_back(
    sandbox: Sandbox,
) -> None:
    hold_old_config()
    failed_at(sandbox, "notify_services")
    sandbox.add_fault(TENANT, "instance.notify", "status", code=404, instance=2)
    operations.roll_back_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    services = run_of(Direction.ROLLBACK).result["services"]
    assert [(each["told"], each["code"]) for each in services] == [
        (True, ""),
        (False, "NOTIFY_REJECTED"),
        (True, ""),
    ]
