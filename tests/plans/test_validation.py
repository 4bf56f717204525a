"""The validation chain: each validator alone, all of them together, and what is left behind."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans import operations, validation
from plans.errors import ValidationFailed
from plans.models import INSTALLATION, Event, EventKind, Journal, Plan, Task, Wave
from plans.validation import PlanRequest, Subject, TenantRequest, WaveRequest, chain, resolve
from plans.validation.conflicts import validate_conflicts
from plans.validation.endpoints import validate_endpoints
from plans.validation.rules import (
    validate_limits,
    validate_name,
    validate_pipeline,
    validate_target,
)
from plans.validation.summary import Issue, Severity, warning
from plans.validation.tenant_ids import validate_tenant_ids
from plans.validation.text import validate_text
from plans.validation.waves import validate_waves
from tests.plans.rows import make_rows, make_tenant
from tests.support.driving import OPERATOR
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db

REQUEST = PlanRequest("Friday", (TenantRequest("tenant-001"),), "BLUE_GREEN_SWITCH")


def tenants(*ids: str) -> tuple[TenantRequest, ...]:
    return tuple(TenantRequest(each) for each in ids)


def found(
    validator: Callable[[Subject], Iterable[Issue]], **changes: Any
) -> list[tuple[str, str, str]]:
    """What one validator alone says of the request with `changes`: severity, code, tenant."""
    issues = list(validator(Subject(replace(REQUEST, **changes))))
    assert all(str(issue.message) and issue.field for issue in issues)
    return [(issue.severity.value, issue.code, issue.tenant_id) for issue in issues]


def stored() -> list[int]:
    return [model.objects.count() for model in (Plan, Wave, Task)]


# --- Each alone ------------------------------------------------------------------------------


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


# --- Waves -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waves", "codes"),
    [
        ([], []),
        ([{"rest": True}], []),
        ([{"size": 1}, {"percent": 50}, {"rest": True, "mode": "FIFO"}], []),
        ([{"percent": 100}], []),
        ([{}], ["WAVE_MALFORMED", "WAVES_INCOMPLETE"]),
        ([{"size": 1, "rest": True}], ["WAVE_MALFORMED"]),
        ([{"size": 0}, {"rest": True}], ["WAVE_SIZE"]),
        ([{"size": -3}, {"rest": True}], ["WAVE_SIZE"]),
        ([{"percent": 0}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": 101}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": math.nan}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": math.inf}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": -math.inf}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"rest": True, "mode": "LIFO"}], ["WAVE_MODE"]),
        ([{"size": 3}], ["WAVES_INCOMPLETE"]),
        ([{"size": 1}] * 101, ["TOO_MANY_WAVES"]),
    ],
)
def test_waves(waves: list[dict[str, Any]], codes: list[str]) -> None:
    ten = tenants(*(f"tenant-{n:03}" for n in range(1, 11)))
    asked = tuple(WaveRequest(**wave) for wave in waves)
    assert [code for _, code, _ in found(validate_waves, tenants=ten, waves=asked)] == codes


wave_requests = st.one_of(
    st.builds(WaveRequest, size=st.integers(-5, 200)),
    st.builds(WaveRequest, percent=st.floats(0, 100, exclude_min=True)),
    st.builds(WaveRequest, rest=st.just(True)),
)


@given(st.lists(wave_requests, max_size=10), st.integers(1, 500))
def test_waves_never_hold_more_than_all_and_with_a_rest_hold_all(
    waves: list[WaveRequest], total: int
) -> None:
    planned = resolve(waves, total)
    assert all(wave.size > 0 for wave in planned)
    covered = sum(wave.size for wave in planned)
    assert covered <= total
    if not waves or any(wave.rest for wave in waves):
        assert covered == total


@given(st.integers(1, 1000), st.integers(1, 20_000))
def test_a_percentage_is_of_all_tasks_and_rounded_up(tenths: int, total: int) -> None:
    [wave] = resolve([WaveRequest(percent=tenths / 10)], total)
    assert wave.size == math.ceil(Fraction(tenths, 1000) * total)


# --- Together --------------------------------------------------------------------------------


@pytest.fixture
def custom() -> Iterator[list[Subject]]:
    """A validator from another package; what it was called with."""
    subjects = []

    def no_fridays(subject: Subject) -> Iterable[Issue]:
        subjects.append(subject)
        if "Friday" in subject.request.name:
            yield Issue(Severity.ERROR, "NO_FRIDAYS", "name", warning("x", "y", "Wait.").message)

    chain.register(no_fridays)
    chain.register(no_fridays)
    yield subjects
    chain.unregister(no_fridays)


def test_a_validator_plugs_in_once(custom: list[Subject]) -> None:
    make_tenant()
    summary = validation.validate(Subject(REQUEST))
    assert [issue.code for issue in summary.errors] == ["NO_FRIDAYS"]
    assert len(custom) == 1
    with pytest.raises(ValidationFailed):
        operations.create_plan(REQUEST, OPERATOR)
    assert stored() == [0, 0, 0]


def test_everything_that_is_wrong_is_told_at_once(sandbox: Sandbox) -> None:
    make_rows("RUNNING", "RUNNING")
    request = PlanRequest(
        name="",
        tenants=tenants("tenant-001", "a/b", "tenant-999", "tenant-999"),
        executor_type="NOPE",
        target="red",
        waves=(WaveRequest(size=1),),
        max_concurrency=0,
        failure_policy="panic",
    )
    before = stored()
    with pytest.raises(ValidationFailed) as refused:
        operations.create_plan(request, OPERATOR)
    codes = {(issue.code, issue.tenant_id) for issue in refused.value.summary.errors}
    assert codes == {
        ("NAME_MISSING", ""),
        ("EXECUTOR_TYPE_UNKNOWN", ""),
        ("TARGET_UNKNOWN", ""),
        ("WAVES_INCOMPLETE", ""),
        ("MAX_CONCURRENCY", ""),
        ("FAILURE_POLICY", ""),
        ("TENANT_CONFLICT", "tenant-001"),
        ("TENANT_ID_MALFORMED", "a/b"),
        ("TENANT_UNKNOWN", "tenant-999"),
        ("TENANT_DUPLICATE", "tenant-999"),
    }
    assert refused.value.status == 422
    assert all(
        detail.keys() == {"tenantId", "severity", "code", "field", "message"}
        for detail in refused.value.details
    )
    assert stored() == before


def test_a_refusal_is_audited_in_the_journal_of_the_installation() -> None:
    make_tenant()
    with pytest.raises(ValidationFailed):
        operations.create_plan(
            replace(REQUEST, name="", tenants=tenants("a/b\x00", "tenant-001", "tenant-001")),
            OPERATOR,
        )
    journal = Journal.objects.get(name=INSTALLATION)
    events = list(Event.objects.filter(journal=journal).order_by("seq"))
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert events[0].kind == EventKind.PLAN_REFUSED
    assert events[0].data == {"name": "", "errors": 3}
    assert {event.data["code"] for event in events[1:]} == {
        "NAME_MISSING",
        "TENANT_ID_MALFORMED",
        "TENANT_DUPLICATE",
    }
    assert {(event.actor, event.plan_id) for event in events} == {("olga", None)}
    assert stored() == [0, 0, 0]


@pytest.mark.parametrize("name", ["Friday", ""])
def test_a_dry_run_stores_nothing(name: str) -> None:
    make_tenant()
    request = replace(REQUEST, name=name, waves=(WaveRequest(size=1), WaveRequest(rest=True)))
    preview = operations.preview_plan(request, OPERATOR)
    assert stored() == [0, 0, 0]
    assert not Event.objects.exists()
    assert bool(preview.summary.errors) == (not name)
    assert preview.target == "green"
    assert [wave.size for wave in preview.waves] == [1]
    assert [tenant.pk for tenant in preview.tenants] == ["tenant-001"]


def test_warnings_do_not_stop_the_creation() -> None:
    make_rows("FAILED", "FAILED")
    plan = operations.create_plan(replace(REQUEST, target="blue"), OPERATOR)
    validated = Event.objects.get(plan=plan, kind=EventKind.TASK_VALIDATED)
    assert set(validated.data["warnings"]) == {"ALREADY_THERE", "TENANT_HALF_SWITCHED"}


def test_a_tenant_that_the_registry_lacks_is_asked_for_once(sandbox: Sandbox) -> None:
    request = replace(REQUEST, tenants=tenants("tenant-001", "tenant-002", "tenant-777"))
    summary = operations.preview_plan(request, OPERATOR).summary
    assert [(issue.code, issue.tenant_id) for issue in summary.errors] == [
        ("TENANT_UNKNOWN", "tenant-777")
    ]
    calls = sandbox.calls()
    assert sorted(call["path"] for call in calls) == [
        f"/ob/tenants/{tenant_id}" for tenant_id in ("tenant-001", "tenant-002", "tenant-777")
    ]
    operations.create_plan(replace(REQUEST, tenants=tenants("tenant-001")), OPERATOR)
    assert len(calls_of(sandbox.calls(), "tenant-001")) == 1


def test_an_ob_service_that_cannot_be_asked_is_no_unknown_tenant(sandbox: Sandbox) -> None:
    sandbox.add_fault("tenant-001", "ob.get_tenant", "status", code=503)
    summary = operations.preview_plan(REQUEST, OPERATOR).summary
    assert [issue.code for issue in summary.errors] == ["OB_SERVICE_UNAVAILABLE"]
