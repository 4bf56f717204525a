"""The delivery as a stage: its parameters, its versions, what it asks, what it leaves behind."""

from typing import Any

import pytest

from plans import operations
from plans.models import Event, EventKind, StageRun, Task, TaskState
from plans.stores import connection, tenant_config
from plans.stores.tenant_config import StoredConfig
from plans.validation import PlanRequest, TenantRequest
from tests.plans.interrupting import Interruptions
from tests.plans.switching import (
    NEW,
    OLD,
    TENANT,
    end_deliveries,
    failed_at,
    hold_old_config,
    switched_plan,
    work_until,
)
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)


PARKED = {"retry": "fixed", "poll_seconds": 1.0, "ack_timeout_seconds": 3600}


def with_params(**params: Any) -> dict[str, Any]:
    return {"parameters": {"deliver_config": {"ack_timeout_seconds": 0.3, **params}}}


def named(version: int) -> PlanRequest:
    """A plan that names the version and the configuration of its one tenant."""
    return PlanRequest(
        "Named", (TenantRequest(TENANT, version, NEW),), "BLUE_GREEN_SWITCH", target="green"
    )


def ended(version: int) -> Task:
    """The task of such a plan, after it was worked off."""
    plan = operations.create_plan(named(version), OPERATOR)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    return Task.objects.get(plan=plan)


def there_and_back(sandbox: Sandbox, version: int) -> Task:
    """The task of such a plan, after it failed when it had delivered, and was rolled back."""
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=400, times=1)
    task = ended(version)
    assert task.state == TaskState.FAILED
    assert in_redis().version == version
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get(pk=task.pk).state == TaskState.ROLLED_BACK
    return task


def in_redis() -> StoredConfig:
    held = tenant_config.read(TENANT)
    assert held is not None
    return held


def result_of(stage: str = "deliver_config") -> dict[str, Any]:
    result = StageRun.objects.filter(stage=stage, state="COMPLETED").latest("pk").result
    assert isinstance(result, dict)
    return result


# --- Versions ------------------------------------------------------------------------------


def test_a_named_version_is_delivered_above_what_the_tasks_own_rollback_left(
    sandbox: Sandbox,
) -> None:
    make_plan(["tenant-009"])
    hold_old_config()
    task = there_and_back(sandbox, 40)
    back = in_redis()
    assert (back.version > 40, back.payload, back.color) == (True, OLD, "blue")

    operations.retry_task(task.pk, OPERATOR)
    work_off()

    assert Task.objects.get(pk=task.pk).state == TaskState.COMPLETED
    again = in_redis()
    assert (again.version, again.payload, again.color) == (back.version + 1, NEW, "green")
    assert sandbox.versions(TENANT) == [str(again.version)] * 3
    why = result_of("read_tenant")["why"]
    assert why["values"] == {"named": 40, "version": again.version}
    told = Event.objects.filter(kind=EventKind.STAGE_COMPLETED, data__stage="read_tenant")
    assert told.latest("seq").data["result"]["why"] == why

    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert (in_redis().version > again.version, in_redis().payload) == (True, OLD)


def test_a_named_version_is_started_over_after_its_raised_one_failed(sandbox: Sandbox) -> None:
    make_plan(["tenant-009"])
    task = there_and_back(sandbox, 40)
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=400, times=1)
    operations.retry_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get(pk=task.pk).state == TaskState.FAILED
    raised = in_redis().version

    operations.retry_task(task.pk, OPERATOR, from_checkpoint=False)
    work_off()

    assert Task.objects.get(pk=task.pk).state == TaskState.COMPLETED
    assert in_redis().version == raised + 1


def test_the_same_version_from_somebody_else_is_not_taken_for_the_tasks_own(
    sandbox: Sandbox,
) -> None:
    make_plan(["tenant-009"])
    task = there_and_back(sandbox, 40)
    connection.tenant_redis().hset(tenant_config.key_of(TENANT), "epoch", 0)
    operations.retry_task(task.pk, OPERATOR)
    work_off()
    failure = Task.objects.get(pk=task.pk).failure
    assert failure is not None
    assert failure["errorCode"] == "STALE_VERSION"
    assert (in_redis().payload, in_redis().color) == ({}, "blue")


@pytest.mark.parametrize("is_after_rollback", [False, True])
def test_somebody_elses_newer_configuration_is_never_overwritten(
    sandbox: Sandbox, is_after_rollback: bool
) -> None:
    make_plan(["tenant-009"])
    if is_after_rollback:
        task = there_and_back(sandbox, 40)
        tenant_config.write(TENANT, 50, 0, "blue", {"by": "somebody"})
        operations.retry_task(task.pk, OPERATOR)
        work_off()
    else:
        tenant_config.write(TENANT, 50, 0, "blue", {"by": "somebody"})
        task = ended(40)
    failure = Task.objects.get(pk=task.pk).failure
    assert failure is not None
    assert (failure["errorCode"], failure["stage"]) == ("STALE_VERSION", "deliver_config")
    assert (in_redis().version, in_redis().payload) == (50, {"by": "somebody"})


def test_a_newer_write_while_it_waits_ends_the_waiting_at_once(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.apply", "drop")
    sandbox.add_fault(TENANT, "instance.config", "latency", seconds=0.2, times=1)
    switched_plan(parameters={"deliver_config": {"ack_timeout_seconds": 3600}})

    def overtake() -> None:
        held = in_redis()
        if held.color == "green":  # Its own notice comes in here, too.
            tenant_config.write(TENANT, held.version + 1, 0, "blue", {"by": "somebody"})

    from_the_side = connection.tenant_redis().pubsub(ignore_subscribe_messages=True)
    with from_the_side as heard:
        heard.subscribe(**{tenant_config.CHANNEL: lambda message: overtake()})
        listener = heard.run_in_thread(sleep_time=0.05, daemon=True)
        work_off()
        listener.stop()
        listener.join()
    failure = Task.objects.get().failure
    assert failure is not None
    assert failure["errorCode"] == "STALE_VERSION"


def test_what_a_rollback_writes_is_announced_under_a_higher_version(sandbox: Sandbox) -> None:
    hold_old_config()
    task = failed_at(sandbox, "check_health")
    forward = in_redis().version
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    assert (in_redis().version > forward, in_redis().payload) == (True, OLD)
    assert sandbox.versions(TENANT) == [str(in_redis().version)] * 3


# --- Whom it asks, and how ------------------------------------------------------------------


def test_an_instance_that_has_acknowledged_is_not_asked_again(
    sandbox: Sandbox, interruptions: Interruptions
) -> None:
    behind = sandbox.add_fault(TENANT, "instance.apply", "hang", instance=2)
    interruptions.at(EventKind.TASK_WAITING, lambda _: sandbox.remove_fault(behind))
    switched_plan(**with_params(**PARKED))
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED
    said = result_of()["instances"]
    attempts = [each["attempts"] for each in said.values()]
    assert attempts[1] > 1
    asked = calls_of(sandbox.calls(), TENANT, "instance.config")
    assert len(asked) == sum(attempts)
    assert {each["said"] for each in said.values()} == {"20"}


def test_with_a_rule_it_goes_on_without_one_and_the_journal_says_so(sandbox: Sandbox) -> None:
    sandbox.add_fault(TENANT, "instance.config", "drop", instance=3)
    sandbox.add_fault("tenant-002", "instance.config", "drop")
    switched_plan(
        2, failure_policy="continue", **with_params(**PARKED, required_instances="2 of 3")
    )
    # The one has all the time it needs before that of the other, who waits in vain, is over.
    work_until(lambda: Task.objects.filter(state=TaskState.COMPLETED).exists())
    end_deliveries()
    work_off()
    one, other = Task.objects.order_by("position")
    assert (one.state, other.state) == (TaskState.COMPLETED, TaskState.FAILED)
    told = one.events.get(kind=EventKind.STAGE_COMPLETED, data__stage="deliver_config")
    result = told.data["result"]
    assert (result["required"], len(result["missing"])) == ("2 of 3", 1)
    assert result["why"]["values"]["confirmed"] == 2
    created = Event.objects.get(kind=EventKind.PLAN_CREATED)
    assert created.data["parameters"]["deliver_config"]["required_instances"] == "2 of 3"
    assert other.failure["errorCode"] == "ACK_TIMEOUT"


@pytest.mark.parametrize(
    "params",
    [
        {"retry": "fixed", "poll_seconds": 0.05},
        {"retry": "full_jitter", "poll_max_seconds": 0.1},
        {"retry": "exponential", "poll_seconds": 0.01},
        {"actual": {"json_path": "$['version']"}},
        {"actual": {"pattern": r'"version": ?"(\d+)"'}},
        {"status_path": "/health", "actual": {"json_path": "$.version"}},
        {"instance_timeout_seconds": 0.5},
    ],
)
def test_each_way_to_ask_comes_to_the_same_end(sandbox: Sandbox, params: dict[str, Any]) -> None:
    sandbox.add_fault(TENANT, "instance.apply", "latency", seconds=0.15, instance=1)
    switched_plan(**with_params(**{"ack_timeout_seconds": 60, **params}))
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED


def test_a_digest_of_the_payload_may_be_what_is_expected(sandbox: Sandbox) -> None:
    switched_plan(**with_params(expected={"digest": "sha256"}))
    work_off()
    failure = Task.objects.get().failure
    assert failure is not None
    assert failure["errorCode"] == "ACK_MISMATCH"
    assert len(failure["message"]["values"]["expected"]) == 64


def test_a_payload_without_the_expected_field_fails_before_anybody_is_asked(
    sandbox: Sandbox,
) -> None:
    switched_plan(**with_params(expected={"field": "$.revision"}))
    work_off()
    failure = Task.objects.get().failure
    assert failure is not None
    assert (failure["errorCode"], failure["retryable"]) == ("ACK_ERROR", False)
    assert "it has no $.revision" in failure["reason"]
    assert not calls_of(sandbox.calls(), TENANT, "instance.config")
