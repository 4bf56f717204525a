"""Gates and the global stop from the command line."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError

from plans.models import Plan, PlanState, Stop, Wave
from plans.validation import WaveRequest
from plans.validation.wave_text import parse_wave
from tests.commands.conftest import Manage
from tests.support.driving import make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("text", "wave"),
    [
        ("5", WaveRequest(size=5)),
        ("REST", WaveRequest(rest=True)),
        ("2.5% fifo", WaveRequest(percent=2.5, mode="FIFO")),
        ("1 soak 90 approval", WaveRequest(size=1, soak_seconds=90, approval=True)),
        ("1 approve soak 2h FIFO", WaveRequest(1, None, False, "FIFO", 7200, True)),
    ],
)
def test_a_wave_is_written_in_words(text: str, wave: WaveRequest) -> None:
    assert parse_wave(text) == wave


@pytest.mark.parametrize(
    "text", ["", "fifo", "1 2", "1 soak", "1 soak soon", "1 soak -5", "1 maybe"]
)
def test_what_is_no_wave_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no (wave|duration)"):
        parse_wave(text)


def test_a_plan_with_a_gate_is_made_and_approved_by_somebody_else(
    manage: Manage, sandbox: Sandbox
) -> None:
    make_plan(["tenant-050"])  # Fills the registry.
    for name in ("ana", "otto"):
        User.objects.create_user(name).groups.add(Group.objects.get(name="approver"))
    tenants = ("tenant-001", "tenant-002")
    waves = ("--wave", "1 soak 0s approval", "--wave", "rest")
    made = manage(
        "plan", "create", "--name", "G", "--tenants", *tenants, *waves, "--start", "--as", "otto",
        "--json",
    )  # fmt: skip
    plan = json.loads(made.out)["planId"]
    assert json.loads(made.out)["waves"][0]["approval"] is True
    work_off()
    own = manage("plan", "approve", plan, "--as", "otto")
    assert (own.code, "somebody else must decide" in own.err) == (1, True)
    assert manage("plan", "reject", plan, "--as", "ana", "--reason", "wait").code == 0
    assert Plan.objects.get(pk=plan).state == PlanState.PAUSED
    assert manage("plan", "resume", plan).code == 0
    revision = Plan.objects.get(pk=plan).revision
    assert "waits for approval by somebody else than otto" in manage("plan", "show", plan).out
    assert manage("plan", "approve", plan, "--as", "ana", "--seen", revision - 1).code == 1
    assert manage("plan", "approve", plan, "--as", "ana", "--seen", revision).code == 0
    assert Wave.objects.get(plan=plan, index=0).decided_by == "ana"
    work_off()
    assert Plan.objects.get(pk=plan).state == PlanState.COMPLETED


def test_everything_is_stopped_shown_and_lifted(manage: Manage) -> None:
    User.objects.create_user("vera").groups.add(Group.objects.get(name="viewer"))
    assert manage("stop", "show").out == "Nothing is stopped.\n"
    assert manage("stop", "all", "--as", "vera").code == 1
    assert manage("stop", "lift").code == 1
    assert not Stop.objects.exists()
    ended = manage("stop", "all", "--reason", "fire")
    assert (ended.code, ": fire\n" in ended.out) == (0, True)
    assert manage("stop", "all").code == 1
    assert "Everything is stopped since" in manage("stop", "show", "--as", "vera").out
    assert manage("stop", "lift").code == 0
    assert not Stop.objects.get().active
    with pytest.raises(CommandError):
        manage("stop", "perhaps")
