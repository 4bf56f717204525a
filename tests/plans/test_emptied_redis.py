"""What an earlier task delivered is not delivered again under its version: Redis forgets."""

import pytest

from plans import operations
from plans.models import Task, TaskState
from plans.stores import connection, tenant_config
from plans.validation import PlanRequest, TenantRequest
from tests.plans.switching import NEW, QUICK, TENANT, failed_at, hold_old_config, switched_plan
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def version_in_redis() -> int:
    held = tenant_config.read(TENANT)
    assert held is not None
    return held.version


def forget() -> None:
    connection.tenant_redis().delete(tenant_config.key_of(TENANT))


def test_the_next_plan_of_a_tenant_delivers_a_version_that_instances_do_not_have_yet(
    sandbox: Sandbox,
) -> None:
    hold_old_config()
    switched_plan()
    work_off()
    delivered = version_in_redis()
    assert sandbox.versions(TENANT) == [str(delivered)] * 3
    forget()
    sandbox.change_tenant(TENANT, configVersion=19)  # It has heard of nothing else.

    switched_plan(target="blue")
    work_off()

    assert Task.objects.latest("pk").state == TaskState.COMPLETED
    assert version_in_redis() == delivered + 1
    assert sandbox.versions(TENANT) == [str(delivered + 1)] * 3


def test_a_task_that_starts_over_after_its_rollback_goes_on_above_it(sandbox: Sandbox) -> None:
    hold_old_config()
    task = failed_at(sandbox, "check_health")
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    back = version_in_redis()
    forget()

    operations.retry_task(task.pk, OPERATOR, from_checkpoint=False)
    work_off()

    assert Task.objects.get(pk=task.pk).state == TaskState.COMPLETED
    assert version_in_redis() == back + 1


def test_a_named_version_that_was_put_back_since_is_delivered_above_that(sandbox: Sandbox) -> None:
    make_plan(["tenant-009"])
    request = PlanRequest(
        "Named",
        (TenantRequest(TENANT, 40, NEW),),
        "BLUE_GREEN_SWITCH",
        target="green",
        parameters=QUICK,
    )
    sandbox.add_fault(TENANT, "gateway.put_route", "status", code=400, times=1)
    plan = operations.create_plan(request, OPERATOR)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    task = Task.objects.get(plan=plan)
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    back = version_in_redis()
    assert back > 40
    forget()

    operations.retry_task(task.pk, OPERATOR)
    work_off()

    assert Task.objects.get(pk=task.pk).state == TaskState.COMPLETED
    assert version_in_redis() == back + 1


def test_a_tenant_that_has_lost_its_instances_is_not_switched(sandbox: Sandbox) -> None:
    plan = switched_plan()
    sandbox.change_tenant(TENANT, endpoints=[])
    work_off()
    task = Task.objects.get(plan=plan)
    assert task.failure is not None
    assert (task.state, task.failure["errorCode"]) == (TaskState.FAILED, "OB_SERVICE_BAD_ANSWER")
    assert sandbox.tenant(TENANT)["route"] == "blue"
