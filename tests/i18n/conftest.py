"""The dashboard's clients and plans, and a plan on which much is to be said."""

from collections.abc import Iterator

import pytest
from django.utils import timezone, translation

from plans.models import Plan, PlanState, Task, TaskState
from tests.web.conftest import (
    FAILED_FIELDS,
    PREVIOUS,
    MakePlan,
    anonymous,
    make_plan,
    operator,
    stand,
)

__all__ = ["anonymous", "make_plan", "operator"]

CHINESE = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    # A request leaves its language behind in its thread, and here all share one.
    with translation.override("en"):
        yield


@pytest.fixture
def plan(make_plan: MakePlan) -> Plan:
    """One with failed, switched and pending tenants, and a gate."""
    plan = make_plan(
        5, name="秋季", waves=[{"size": 3, "soak_seconds": 60, "approval": True}, {"rest": True}]
    )
    tasks = list(Task.objects.filter(plan=plan))
    failure = FAILED_FIELDS["failure"] | {
        "message": {
            "template": "%(service)s did not answer %(method)s %(url)s within %(seconds)s s.",
            "values": {"service": "GATEWAY", "method": "PUT", "url": "/routes/x", "seconds": 5},
        }
    }
    stand(tasks[:2], TaskState.FAILED, **FAILED_FIELDS | {"failure": failure})
    stand(tasks[2:3], TaskState.COMPLETED, cursor=6, reached=6, previous=PREVIOUS)
    Plan.objects.filter(pk=plan.pk).update(
        state=PlanState.FAILED, started_at=timezone.now(), started_by="olga"
    )
    return Plan.objects.get(pk=plan.pk)
