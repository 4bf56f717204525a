"""Each validator of the chain alone."""

from dataclasses import replace
from typing import Any

import pytest

from plans.validation import Subject, TenantRequest
from plans.validation.conflicts import validate_conflicts
from plans.validation.endpoints import validate_endpoints
from plans.validation.rules import (
    validate_limits,
    validate_name,
    validate_pipeline,
    validate_target,
)
from plans.validation.tenant_ids import validate_tenant_ids
from plans.validation.text import validate_text
from tests.plans.asking import REQUEST, found, tenants
from tests.plans.rows import make_rows, make_tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Friday", []),
        ("🟦 → 🟩 “quoted” \u202e <b>", []),
        ("", ["NAME_MISSING"]),
        (" \t", ["NAME_MISSING"]),
        ("x" * 200, []),
        ("x" * 201, ["NAME_TOO_LONG"]),
    ],
)
def test_names(name: str, codes: list[str]) -> None:
    assert [code for _, code, _ in found(validate_name, name=name)] == codes


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"executor_type": "NOPE"}, ["EXECUTOR_TYPE_UNKNOWN"]),
        ({"parameters": {"soak": {"seconds": 1}}}, ["STAGE_UNKNOWN"]),
        ({"parameters": {"check_health": {"attempts": 0}}}, ["PARAMETER_INVALID"]),
        ({"parameters": {"check_health": {"colour": "red"}}}, ["PARAMETER_INVALID"]),
        (
            {"parameters": {"check_health": {"attempts": "x", "interval_seconds": -1}}},
            ["PARAMETER_INVALID"] * 2,
        ),
        (
            {"parameters": {"switch_route": {"x": 1}, "nope": {}}},
            ["STAGE_UNKNOWN", "PARAMETER_INVALID"],
        ),
    ],
)
def test_pipelines(changes: dict[str, Any], codes: list[str]) -> None:
    assert [code for _, code, _ in found(validate_pipeline, **changes)] == codes


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"max_concurrency": 1}, []),
        ({"max_concurrency": 0}, ["MAX_CONCURRENCY"]),
        ({"max_concurrency": 10_001}, ["MAX_CONCURRENCY"]),
        ({"failure_policy": "panic"}, ["FAILURE_POLICY"]),
        ({"failure_policy": "continue", "failure_budget": 0}, []),
        ({"failure_policy": "continue", "failure_budget": -1}, ["FAILURE_BUDGET"]),
        ({"failure_policy": "continue", "failure_budget": 10**12}, ["FAILURE_BUDGET"]),
        ({"failure_policy": "halt", "failure_budget": 3}, ["FAILURE_BUDGET_UNUSED"]),
    ],
)
def test_limits(changes: dict[str, Any], codes: list[str]) -> None:
    assert [code for _, code, _ in found(validate_limits, **changes)] == codes


@pytest.mark.parametrize(
    "bad", ["", " ", "a/b", "a b", "-a", "ä", "a" * 65, "a\n", "a\x00", "../x", "<b>"]
)
def test_malformed_tenant_ids(bad: str) -> None:
    make_tenant()
    issues = found(validate_tenant_ids, tenants=tenants("tenant-001", bad))
    assert [(severity, code) for severity, code, _ in issues] == [("error", "TENANT_ID_MALFORMED")]


def test_tenants_that_are_named_twice_or_not_at_all() -> None:
    make_tenant()
    twice = tenants("tenant-001", "tenant-001", "tenant-001")
    assert found(validate_tenant_ids, tenants=twice) == [
        ("error", "TENANT_DUPLICATE", "tenant-001")
    ]
    assert found(validate_tenant_ids, tenants=()) == [("error", "NO_TENANTS", "")]


def test_too_many_tenants_are_told_once() -> None:
    many = tenants(*(f"t{n}" for n in range(20_001)))
    assert found(validate_tenant_ids, tenants=many) == [("error", "TOO_MANY_TENANTS", "")]


@pytest.mark.parametrize(
    ("endpoints", "code"),
    [
        ([], "NO_ENDPOINTS"),
        (["file:///etc/passwd"], "ENDPOINT_FORBIDDEN"),
        (["http://169.254.169.254/latest"], "ENDPOINT_FORBIDDEN"),
        (["http://127.0.0.1:0/"], "ENDPOINT_FORBIDDEN"),
        (["http:///x"], "ENDPOINT_FORBIDDEN"),
        (["http://127.0.0.1:9/1", "gopher://127.0.0.1/"], "ENDPOINT_FORBIDDEN"),
    ],
)
def test_endpoints_that_may_not_be_called(endpoints: list[str], code: str) -> None:
    make_tenant(endpoints=endpoints)
    assert found(validate_endpoints) == [("error", code, "tenant-001")]


def test_endpoints_that_may_be_called() -> None:
    make_tenant(endpoints=["http://127.0.0.1:9/1", "https://127.1.2.3/x"])
    assert found(validate_endpoints) == []


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "PAUSED", "ROLLING_BACK"])
def test_a_tenant_in_an_unfinished_task_is_a_conflict(state: str) -> None:
    make_rows("RUNNING", state)
    assert found(validate_conflicts) == [("error", "TENANT_CONFLICT", "tenant-001")]


def test_a_conflict_with_a_plan_that_has_ended_names_the_way_out() -> None:
    make_rows("FAILED", "PENDING")
    (issue,) = validate_conflicts(Subject(REQUEST))
    assert issue.code == "TENANT_CONFLICT"
    assert "cancel that task, retry that plan, or roll it back" in issue.message.english


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "ROLLBACK_FAILED"])
def test_a_tenant_that_was_left_half_switched_is_pointed_out(state: str) -> None:
    make_rows("FAILED", state)
    assert found(validate_conflicts) == [("warning", "TENANT_HALF_SWITCHED", "tenant-001")]


@pytest.mark.parametrize("state", ["COMPLETED", "ROLLED_BACK"])
def test_a_tenant_whose_task_is_over_is_no_conflict(state: str) -> None:
    make_rows("COMPLETED", state)
    assert found(validate_conflicts) == []


@pytest.mark.parametrize(
    ("environments", "asked", "target", "issues"),
    [
        (["blue", "blue"], None, "green", []),
        (["green"], None, "blue", []),
        (["blue", "green"], None, None, [("error", "TARGET_AMBIGUOUS", "")]),
        (["blue", "green"], "green", "green", [("warning", "ALREADY_THERE", "tenant-002")]),
        (["blue"], "red", "red", [("error", "TARGET_UNKNOWN", "")]),
        ([], None, None, []),
    ],
)
def test_the_target_is_inferred(
    environments: list[str], asked: str | None, target: str | None, issues: list[Any]
) -> None:
    ids = [f"tenant-{n:03}" for n, _ in enumerate(environments, 1)]
    for tenant_id, environment in zip(ids, environments, strict=True):
        make_tenant(tenant_id, environment=environment)
    changes = {"tenants": tenants(*ids), "target": asked}
    assert Subject(replace(REQUEST, **changes)).target == target
    assert found(validate_target, **changes) == issues


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"tenants": (TenantRequest("tenant-001", payload={"a": ["\x00"]}),)},
        {"tenants": (TenantRequest("tenant-001", payload={"a": float("nan")}),)},
    ],
)
def test_what_no_database_can_hold_is_refused(changes: dict[str, Any]) -> None:
    assert [code for _, code, _ in found(validate_text, **changes)] == ["UNSTORABLE"]
