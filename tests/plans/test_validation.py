"""The whole chain: everything at once, what plugs in, and what is left behind."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from plans import operations, validation
from plans.errors import ValidationFailed
from plans.models import INSTALLATION, Event, EventKind, Journal, Plan, Task, Wave
from plans.validation import PlanRequest, Subject, WaveRequest, chain
from plans.validation.summary import Issue, Severity, warning
from tests.plans.asking import REQUEST, tenants
from tests.plans.rows import make_rows, make_tenant
from tests.support.driving import OPERATOR
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db


def stored() -> list[int]:
    return [model.objects.count() for model in (Plan, Wave, Task)]


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
