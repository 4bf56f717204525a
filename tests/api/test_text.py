"""What no database can keep is found by the chain, whoever asks, and the refusal is recorded."""

from typing import Any

import pytest

from plans import conf, operations
from plans.errors import ValidationFailed
from plans.models import Event, EventKind, Plan
from plans.validation import PlanRequest, TenantRequest, WaveRequest
from plans.validation.text import problem_of, problem_of_reason, storable
from tests.support.driving import OPERATOR
from tests.support.sandbox import Sandbox

NUL, HALF = "a\x00b", "a\ud800b"


@pytest.mark.django_db
@pytest.mark.parametrize("bad", [NUL, HALF])
def test_a_plan_that_cannot_be_stored_is_refused_field_by_field(bad: str, sandbox: Sandbox) -> None:
    request = PlanRequest(
        name=bad,
        tenants=(
            TenantRequest("tenant-001", payload={"deep": [{"er": bad}]}),
            TenantRequest(bad),
        ),
        executor_type=bad,
        target=bad,
        waves=(WaveRequest(rest=True, mode=bad),),
        failure_policy=bad,
        parameters={bad: {}},
    )
    with pytest.raises(ValidationFailed) as refusal:
        operations.create_plan(request, OPERATOR)
    found = {issue.field for issue in refusal.value.summary.errors if issue.code == "UNSTORABLE"}
    assert found == {
        "name",
        "executorType",
        "target",
        "waves",
        "failurePolicy",
        "parameters",
        "config",
    }
    assert not Plan.objects.exists()
    assert Event.objects.get(kind=EventKind.PLAN_REFUSED).data["name"] == "a\ufffdb"


@pytest.mark.parametrize(
    "value", ["", "text", "🟦\u202e", None, 1, 1.5, True, {"a": [1, {"b": "c"}]}, ("a",), "\ufffd"]
)
def test_ordinary_values_have_no_problem(value: Any) -> None:
    assert problem_of(value) is None


@pytest.mark.parametrize(
    "value", [NUL, HALF, [NUL], {NUL: 1}, {"a": {"b": [HALF]}}, float("nan"), [float("-inf")]]
)
def test_values_that_cannot_be_stored_have_a_problem(value: Any) -> None:
    assert problem_of(value)


@pytest.mark.django_db
@pytest.mark.parametrize("turning", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_name_or_reason_that_turns_the_page_around_is_refused(
    turning: str, sandbox: Sandbox
) -> None:
    request = PlanRequest(
        name=f"a{turning}b", tenants=(TenantRequest("tenant-001"),), executor_type="X"
    )
    found = operations.preview_plan(request, OPERATOR).summary.errors
    (said,) = [str(issue.message) for issue in found if issue.field == "name"]
    assert "turns the direction of text" in said
    assert problem_of_reason(f"a{turning}b")
    assert problem_of_reason("\u05d0\u05d1\u05d2 and words") is None


def test_a_reason_has_a_limit() -> None:
    assert problem_of_reason("r" * conf.REASON_MAX_CHARS) is None
    assert problem_of_reason("r" * (conf.REASON_MAX_CHARS + 1))
    assert problem_of_reason(NUL)


def test_what_is_recorded_of_a_refusal_keeps_all_else() -> None:
    assert storable(f"x{NUL}{HALF}🟦") == "xa\ufffdba\ufffdb🟦"
