"""`manage.py plan create`."""

import io
import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError
from django.utils import timezone

from plans.models import Event, EventKind, Plan, PlanState, Task, Tenant
from tests.commands.conftest import Manage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

ONE = ("plan", "create", "--name", "One", "--tenants", "tenant-001")


def test_a_plan_is_created_as_asked(manage: Manage) -> None:
    ended = manage(
        *("plan", "create", "--name", "Ümzug 搬家", "--tenants", "tenant-001", "tenant-002"),
        *("tenant-003", "--target", "green", "--wave", "1", "--wave", "34%", "--wave", "rest"),
        *("--max-concurrency", "7", "--failure-policy", "continue", "--failure-budget", "2"),
    )
    plan = Plan.objects.get()
    assert (ended.code, ended.out) == (0, f"Plan {plan.pk} “Ümzug 搬家” is created.\n")
    assert (plan.name, plan.state, plan.target) == ("Ümzug 搬家", PlanState.CREATED, "green")
    assert (plan.max_concurrency, plan.failure_policy, plan.failure_budget) == (7, "continue", 2)
    # 34 % of three are two, rounded up: nothing is left for the rest.
    assert list(plan.waves.values_list("size", "mode")) == [(1, "CONCURRENT"), (2, "CONCURRENT")]
    assert plan.created_by.startswith("cli:")


def test_json_says_what_the_api_says(manage: Manage) -> None:
    ended = manage(*ONE, "--fifo", "--json")
    answer = json.loads(ended.out)
    assert answer["planId"] == Plan.objects.get().pk
    assert (answer["state"], answer["taskCount"]) == ("CREATED", 1)
    assert answer["counts"]["PENDING"] == 1
    assert [(wave["size"], wave["mode"]) for wave in answer["waves"]] == [(1, "FIFO")]
    assert "is created" in ended.err


def test_tenants_come_from_the_registry_or_from_standard_input(
    manage: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "60 tenants" in manage("sync_tenants").out
    Tenant.objects.filter(pk="tenant-060").update(gone_at=timezone.now())
    ended = manage("plan", "create", "--name", "All", "--tenants", "all", "--dry-run", "--json")
    assert json.loads(ended.out)["taskCount"] == Tenant.objects.filter(gone_at=None).count() == 59
    monkeypatch.setattr("sys.stdin", io.StringIO("tenant-005\n\n  tenant-006 \n"))
    assert manage("plan", "create", "--name", "Some", "--tenants", "-").code == 0
    assert set(Plan.objects.get().tasks.values_list("tenant", flat=True)) == {
        "tenant-005",
        "tenant-006",
    }


def test_a_dry_run_stores_nothing(manage: Manage) -> None:
    ended = manage(*ONE, "--dry-run")
    assert ended.code == 0
    assert "1 tenants would go to green; nothing is stored." in ended.out
    assert not Plan.objects.exists()
    assert not Event.objects.exists()
    ended = manage("plan", "create", "--name", "", "--tenants", "nobody", "--dry-run")
    assert ended.code == 1
    assert "TENANT_UNKNOWN" in ended.err


def test_a_refusal_says_all_that_is_to_be_mended(manage: Manage) -> None:
    bad = ("plan", "create", "--name", " ", "--tenants", "nobody", "a/b", "tenant-001")
    ended = manage(*bad, "tenant-001", "--wave", "1", "--max-concurrency", "0")
    assert ended.code == 1
    assert ended.out == ""
    for code in (
        "NAME_MISSING",
        "TENANT_UNKNOWN",
        "TENANT_ID_MALFORMED",
        "TENANT_DUPLICATE",
        "WAVES_INCOMPLETE",
        "MAX_CONCURRENCY",
    ):
        assert code in ended.err
    assert not Plan.objects.exists()
    assert Event.objects.first().kind == EventKind.PLAN_REFUSED  # type: ignore[union-attr]
    error = json.loads(manage(*bad, "--json").out)["error"]
    assert error["code"] == "VALIDATION_FAILED"
    assert {issue["code"] for issue in error["details"]} >= {"NAME_MISSING", "TENANT_UNKNOWN"}


def test_ids_that_no_database_can_hold_are_refused_in_words(
    manage: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("tenant-\x00\ntenant-\udcff\n"))
    ended = manage("plan", "create", "--name", "Odd", "--tenants", "-")
    assert ended.code == 1
    assert ended.err.count("TENANT_ID_MALFORMED") == 2


def test_who_acts_needs_the_permission(manage: Manage) -> None:
    for role in ("viewer", "operator"):
        User.objects.create(username=role).groups.add(Group.objects.get(name=role))
    ended = manage(*ONE, "--as", "viewer")
    assert ended.code == 1
    assert "viewer may not do this" in ended.err
    assert manage(*ONE, "--as", "nobody").code == 1
    assert not Plan.objects.exists()
    assert manage(*ONE, "--as", "operator").code == 0
    assert Plan.objects.get().created_by == "operator"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--wave", "many"),
        ("--wave", "-3"),
        ("--failure-policy", "hope"),
        ("--target", "red"),
        ("--wait",),
        ("--timeout", "0"),
        ("--reason", "x" * 1001),
        ("--max-concurrency", "ten"),
    ],
)
def test_wrong_usage_is_refused_before_anything_happens(
    manage: Manage, wrong: tuple[str, ...]
) -> None:
    # From the command line this is exit code 2, with the usage.
    with pytest.raises(CommandError):
        manage(*ONE, *wrong)
    assert not Event.objects.exists()


def test_parameters_of_stages_come_as_json(manage: Manage) -> None:
    given = {"notify_services": {"tries": 5, "services": [{"name": "instances"}]}}
    assert manage(*ONE, "--parameters", json.dumps(given)).code == 0
    pipeline = {spec["name"]: spec["params"] for spec in Task.objects.get().pipeline}
    assert pipeline["notify_services"] == given["notify_services"]
    assert pipeline["check_health"] == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"check_health": 3}'])
def test_parameters_that_are_none_are_wrong_usage(manage: Manage, text: str) -> None:
    with pytest.raises(CommandError, match="Parameters are JSON by stage"):
        manage(*ONE, "--parameters", text)
    assert not Plan.objects.exists()
