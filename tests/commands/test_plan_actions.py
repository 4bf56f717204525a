"""`manage.py plan start|pause|resume|cancel|retry|rollback|show|list`, without workers."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError

from plans.models import Event, Plan, PlanState, Task, TaskState
from tests.commands.conftest import Manage
from tests.support.driving import make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """A new plan of two tenants."""
    return make_plan(["tenant-001", "tenant-002"], name="Switch \x1b[2J", failure_policy="continue")


@pytest.fixture
def failed(plan: Plan, sandbox: Sandbox, manage: Manage) -> Task:
    """A task that failed at the gateway; its plan has failed too."""
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    assert manage("plan", "start", plan.pk).code == 0
    work_off()
    sandbox.clear_faults()
    return Task.objects.get(plan=plan, state=TaskState.FAILED)


def state(plan: Plan) -> str:
    return str(Plan.objects.get(pk=plan.pk).state)


def test_a_plan_is_started_paused_resumed_and_cancelled(manage: Manage, plan: Plan) -> None:
    for action, expected in [
        ("start", "RUNNING"),
        ("pause", "PAUSED"),
        ("resume", "RUNNING"),
        ("cancel", "CANCELLED"),
    ]:
        ended = manage("plan", action, plan.pk, "--reason", f"to {action}")
        assert (ended.code, ended.out) == (0, f"Plan {plan.pk} is {expected}.\n")
        assert state(plan) == expected
        assert Event.objects.filter(plan=plan, reason=f"to {action}").exists()


def test_what_cannot_be_done_is_refused_and_nothing_changes(manage: Manage, plan: Plan) -> None:
    before = Event.objects.count()
    ended = manage("plan", "resume", plan.pk)
    assert ended.code == 1
    assert "is created and cannot be resumed" in ended.err
    assert manage("plan", "start", 10**30).code == 1
    assert manage("plan", "start", plan.pk, "--seen", "paused").code == 1
    ended = manage("plan", "start", plan.pk, "--seen", plan.revision + 1)
    assert ended.code == 1
    assert "has changed since you looked" in ended.err
    assert (state(plan), Event.objects.count()) == ("CREATED", before)
    assert manage("plan", "start", plan.pk, "--seen", "created").code == 0


def test_a_failed_task_is_retried_from_its_checkpoint(manage: Manage, failed: Task) -> None:
    ended = manage("plan", "retry", "--task", failed.pk)
    assert (ended.code, ended.out) == (0, f"Task {failed.pk} is RUNNING.\n")
    assert Task.objects.get(pk=failed.pk).cursor == failed.cursor > 0
    work_off()
    assert state(failed.plan) == PlanState.COMPLETED


def test_from_scratch_runs_all_stages(manage: Manage, failed: Task) -> None:
    assert manage("plan", "retry", failed.plan_id, "--from-scratch").code == 0
    assert Task.objects.get(pk=failed.pk).cursor == 0


def test_a_selection_is_acted_on_as_far_as_it_goes(
    manage: Manage, failed: Task, sandbox: Sandbox
) -> None:
    other = Task.objects.exclude(pk=failed.pk).get()
    ended = manage("plan", "retry", "--task", failed.pk, other.pk)
    assert ended.code == 1
    assert "Done for 1 of 2 tasks." in ended.out
    assert f"Task {other.pk}: " in ended.err
    work_off()
    assert manage("plan", "rollback", "--task", failed.pk, other.pk).code == 0
    work_off()
    assert sandbox.route("tenant-001") == sandbox.route("tenant-002") == "blue"


def test_a_plan_is_rolled_back(manage: Manage, failed: Task) -> None:
    assert manage("plan", "rollback", failed.plan_id).code == 0
    work_off()
    assert state(failed.plan) == PlanState.ROLLED_BACK


def test_a_plan_is_shown_with_its_failures_and_cannot_steer_the_terminal(
    manage: Manage, failed: Task
) -> None:
    ended = manage("plan", "show", failed.plan_id)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert "Switch \\x1b[2J”: FAILED" in ended.out
    assert "1 completed, 1 failed" in ended.out
    assert f"task {failed.pk}, tenant-002: FAILED, GATEWAY_REJECTED (switch_route)" in ended.out
    shown = json.loads(manage("plan", "show", failed.plan_id, "--json").out)
    assert (shown["state"], shown["counts"]["FAILED"]) == ("FAILED", 1)
    assert manage("plan", "show", failed.plan_id + 1).code == 1


def test_a_task_is_shown_with_failure_and_checkpoint(manage: Manage, failed: Task) -> None:
    shown = json.loads(manage("plan", "show", "--task", failed.pk, "--json").out)
    assert shown["failureInfo"]["errorCode"] == "GATEWAY_REJECTED"
    assert shown["checkpoint"]["data"]["failedStep"] == "switch_route"
    assert "GATEWAY_REJECTED" in manage("plan", "show", "--task", failed.pk).out


def test_plans_are_listed_latest_first(manage: Manage, failed: Task) -> None:
    new = make_plan(["tenant-009"], name="New")
    lines = manage("plan", "list").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [str(new.pk), "CREATED", "0/1"],
        [str(failed.plan_id), "FAILED", "2/2"],
    ]
    assert len(json.loads(manage("plan", "list", "--state", "FAILED", "--json").out)) == 1
    assert manage("plan", "list", "--state", "PAUSED").out == ""


def test_each_action_asks_for_the_permission(manage: Manage, plan: Plan) -> None:
    User.objects.create(username="stranger")
    User.objects.create(username="vera").groups.add(Group.objects.get(name="viewer"))
    for action in ("start", "pause", "resume", "cancel", "retry", "rollback"):
        ended = manage("plan", action, plan.pk, "--as", "vera")
        assert (ended.code, "may not do this" in ended.err) == (1, True)
    for read in (("show", plan.pk), ("list",), ("watch", plan.pk)):
        assert manage("plan", *read, "--as", "stranger").code == 1
    assert manage("plan", "show", plan.pk, "--as", "vera").code == 0
    assert state(plan) == PlanState.CREATED


def test_waiting_ends_with_its_time(manage: Manage, plan: Plan) -> None:
    ended = manage("plan", "start", plan.pk, "--wait", "--timeout", "0.05")
    assert ended.code == 5
    assert "the time to wait is over" in ended.err
    assert state(plan) == PlanState.RUNNING


@pytest.mark.parametrize(
    "wrong",
    [("start",), ("pause",), ("show",), ("watch",), ("start", "--task", "1"), ("fly", "1"), ()],
)
def test_wrong_usage_is_refused(manage: Manage, wrong: tuple[str, ...], db: None) -> None:
    with pytest.raises(CommandError):
        manage("plan", *wrong)
