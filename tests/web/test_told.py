"""Who was told of a switch, on the task's page."""

import pytest
from django.test import Client

from plans.engine import executor
from plans.models import StageRun, Task
from tests.plans.switching import TENANT, switched_plan
from tests.support.driving import WORKER, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = "{&quot;tenantId&quot;: &quot;tenant-001&quot;, &quot;version&quot;: &quot;20&quot;}"


def page_of(client: Client) -> str:
    return client.get(f"/tasks/{Task.objects.get().pk}/").text


def test_the_rail_says_who_was_told_and_what_they_answered(
    sandbox: Sandbox, viewer: Client
) -> None:
    switched_plan()
    work_off()
    page = page_of(viewer)
    assert "notify services" in page
    assert "3 of 3 told" in page
    assert page.count(ANSWER) == 3


def test_the_rail_says_who_was_not_told_and_why(sandbox: Sandbox, viewer: Client) -> None:
    sandbox.add_fault(TENANT, "instance.notify", "status", code=404, instance=2)
    switched_plan()
    work_off()
    page = page_of(viewer)
    assert "2 of 3 told" in page
    assert "<code>NOTIFY_REJECTED</code>" in page
    assert page.count(ANSWER) == 2


def test_the_rail_says_who_is_told_already_while_others_are_waited_for(
    sandbox: Sandbox, viewer: Client
) -> None:
    sandbox.add_fault(TENANT, "instance.notify", "status", code=503, retry_after="60", instance=2)
    switched_plan()
    executor.run(Task.objects.get().pk, WORKER)
    assert StageRun.objects.get(stage="notify_services").finished_at is None
    page = page_of(viewer)
    assert "2 of 3 told" in page
    assert "2 of 3 notices are delivered; instances: NOTIFY_UNAVAILABLE" in page
