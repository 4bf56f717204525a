"""`manage.py plan … --wait` with real workers: what a script sees in the end."""

import pytest

from plans.models import Plan, PlanState, Task
from tests.support.driving import make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

# One command after another, each in a process of its own.
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

END_SECONDS = 120


@pytest.fixture
def running(processes: Processes, sandbox: Sandbox) -> Processes:
    """A worker and a conductor are at it."""
    processes.worker()
    processes.conductor()
    return processes


def plan_command(running: Processes, *arguments: object) -> tuple[int, str]:
    """The exit code of `manage.py plan …` in a process of its own, and what it printed."""
    process = running.manage("plan", *map(str, arguments))
    return process.wait(END_SECONDS), process.log


def test_a_script_learns_how_its_plan_ended(running: Processes, sandbox: Sandbox) -> None:
    tenants = ("tenant-001", "tenant-002", "tenant-003")
    create = ("create", "--name", "Script", "--start", "--wait", "--failure-policy", "continue")
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    code, log = plan_command(running, *create, "--tenants", *tenants)
    assert code == 3, log
    plan = Plan.objects.get()
    assert f"Plan {plan.pk} “Script” FAILED: 2 completed, 1 failed" in log
    code, log = plan_command(running, "watch", plan.pk)
    assert (code, "GATEWAY_REJECTED" in log) == (3, True)
    sandbox.clear_faults()
    failed = Task.objects.get(tenant="tenant-002")
    assert plan_command(running, "retry", "--task", failed.pk, "--wait")[0] == 0
    wait_until(lambda: Plan.objects.get().state == PlanState.COMPLETED)
    assert plan_command(running, "watch", plan.pk)[0] == 0
    code, log = plan_command(running, "rollback", plan.pk, "--wait")
    assert (code, "ROLLED_BACK: 3 rolled back" in log) == (0, True), log
    assert sandbox.route("tenant-001") == "blue"


def test_a_script_learns_that_its_plan_was_cancelled(running: Processes, sandbox: Sandbox) -> None:
    # Nobody acknowledges, so it goes on until it is stopped.
    sandbox.add_fault("*", "instance.apply", "hang")
    plan = make_plan(
        [f"tenant-{n:03}" for n in range(1, 6)],
        max_concurrency=2,
        parameters={"deliver_config": {"ack_timeout_seconds": 3600}},
    )
    waiting = running.manage("plan", "start", str(plan.pk), "--wait")
    waiting.wait_for_log("RUNNING: ")
    code, log = plan_command(running, "pause", plan.pk, "--wait")
    assert code == 0, log
    assert Plan.objects.get().state == PlanState.PAUSED
    assert not Task.objects.filter(state="RUNNING").exists()
    assert waiting.is_running
    code, log = plan_command(running, "cancel", plan.pk, "--wait")
    assert code == 0, log
    assert waiting.wait(END_SECONDS) == 4, waiting.log


def test_an_interrupted_script_leaves_the_plan_alone(
    processes: Processes, sandbox: Sandbox
) -> None:
    plan = make_plan(["tenant-001"])  # There is no worker: it goes on for ever.
    waiting = processes.manage("plan", "start", str(plan.pk), "--wait")
    waiting.wait_for_log("RUNNING: ")
    waiting.terminate()
    assert waiting.wait(END_SECONDS) == 5, waiting.log
    assert "what was begun goes on" in waiting.log
    assert Plan.objects.get().state == PlanState.RUNNING


def test_wrong_usage_on_the_command_line_is_exit_code_2(processes: Processes) -> None:
    code, log = plan_command(processes, "start")
    assert (code, "which plan?" in log) == (2, True), log
    code, log = plan_command(processes, "watch", "--help")
    assert (code, "Exit codes: 0 done as asked" in log) == (0, True), log
