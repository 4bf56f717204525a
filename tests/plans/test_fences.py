"""A tenant's epochs grow over all its tasks, whichever of them works: services remember fences."""

import pytest

from plans import operations
from plans.models import Plan, StageRun, Task, TaskState
from tests.plans.switching import TENANT, break_stage, place
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def enforced(sandbox: Sandbox) -> None:
    sandbox.enforce_fences()


def ran(target: str) -> Plan:
    """A plan of the one tenant, worked off."""
    plan = make_plan([TENANT], target=target)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    return plan


def there_and_back(target: str) -> None:
    """A later plan that moves the tenant and takes it back, in several epochs."""
    operations.roll_back_plan(ran(target).pk, OPERATOR)
    work_off()


def fences(sandbox: Sandbox) -> list[int]:
    return [call["fence"] for call in calls_of(sandbox.calls(), TENANT) if call["method"] == "PUT"]


def test_an_older_plan_is_rolled_back_above_the_fences_of_a_later_one(sandbox: Sandbox) -> None:
    old = ran("green")
    there_and_back("blue")
    operations.roll_back_plan(old.pk, OPERATOR)
    work_off()
    assert Task.objects.get(plan=old).state == TaskState.ROLLED_BACK
    assert place(sandbox) == ("blue", "BLUE")
    assert fences(sandbox) == sorted(fences(sandbox))
    assert Task.objects.get(plan=old).lease_epoch > max(fences(sandbox)[:-2])


def test_an_older_task_is_retried_above_the_fences_of_a_later_one(sandbox: Sandbox) -> None:
    break_stage(sandbox, "update_status")
    old = ran("green")
    sandbox.clear_faults()
    there_and_back("blue")
    operations.retry_plan(old.pk, OPERATOR)
    work_off()
    assert Task.objects.get(plan=old).state == TaskState.COMPLETED
    assert place(sandbox) == ("green", "GREEN")
    assert fences(sandbox) == sorted(fences(sandbox))
    assert not StageRun.objects.filter(failure__errorCode="GATEWAY_REJECTED").exists()
