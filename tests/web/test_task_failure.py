"""The task's page after a failure: where the traffic is, and what was left behind."""

import pytest
from django.test import Client

from plans import operations
from plans.engine import executor
from plans.models import Task, TaskState
from tests.plans.switching import failed_at
from tests.support.driving import OPERATOR, WORKER, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

LEFT = "What it left behind"


def page_of(client: Client, task: Task) -> str:
    return client.get(f"/tasks/{task.pk}/").text


def header_of(client: Client, task: Task) -> str:
    return page_of(client, task).partition('id="task-header"')[2].partition("</section>")[0]


def left_behind(client: Client, task: Task) -> str:
    return page_of(client, task).partition(LEFT)[2].partition("</dd>")[0]


def test_the_header_says_that_the_traffic_has_moved(sandbox: Sandbox, viewer: Client) -> None:
    task = failed_at(sandbox, "check_health")
    assert "traffic has moved to" in header_of(viewer, task)
    operations.roll_back_task(task.pk, OPERATOR)
    assert "traffic has perhaps moved to" in header_of(viewer, task)
    work_off()
    assert "traffic has" not in header_of(viewer, task)


def test_a_refused_switch_has_moved_no_traffic(sandbox: Sandbox, viewer: Client) -> None:
    task = failed_at(sandbox, "switch_route")
    assert "traffic has" not in header_of(viewer, task)
    assert "“switch route” was refused and has not taken effect." in left_behind(viewer, task)


def test_a_switch_that_was_not_answered_has_perhaps_moved_it(
    sandbox: Sandbox, viewer: Client
) -> None:
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=503)
    task = failed_at(sandbox, "switch_route")
    assert "traffic has perhaps moved to" in header_of(viewer, task)
    assert "“switch route” may have taken effect or not." in left_behind(viewer, task)


def test_a_health_check_is_not_said_to_have_taken_effect(sandbox: Sandbox, viewer: Client) -> None:
    task = failed_at(sandbox, "check_health")
    left = left_behind(viewer, task)
    assert "→ switch route." in left
    assert "“check health” itself only asked and changed nothing." in left


def test_what_is_left_behind_shrinks_while_it_goes_back(sandbox: Sandbox, viewer: Client) -> None:
    task = failed_at(sandbox, "check_health")
    operations.roll_back_task(task.pk, OPERATOR)
    left = left_behind(viewer, task)
    assert "These stages are not undone yet:" in left
    assert "stand done" not in left
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    assert "Nothing: it was rolled back" in left_behind(viewer, task)


def test_the_stage_that_goes_back_now_is_said_to_be_undone(
    sandbox: Sandbox, viewer: Client
) -> None:
    task = failed_at(sandbox, "check_health")
    sandbox.add_fault("tenant-001", "instance.notify", "status", code=503, retry_after="60")
    operations.roll_back_task(task.pk, OPERATOR)
    executor.run(task.pk, WORKER)
    rail = page_of(viewer, task).partition('id="task-rail"')[2].partition("</section>")[0]
    assert "being undone" in rail
    assert '<li class="running"' not in rail


def test_an_instance_that_is_down_with_the_right_version_is_unhealthy(
    sandbox: Sandbox, viewer: Client
) -> None:
    text = page_of(viewer, failed_at(sandbox, "check_health"))
    table = text.partition('id="task-instances"')[2].partition("</section>")[0]
    assert "DOWN 20" in table
    assert "</i>unhealthy</span>" in table
    assert "</i>outdated</span>" not in table
