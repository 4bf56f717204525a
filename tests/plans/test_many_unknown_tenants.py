"""A plan that names many tenants that the registry does not know."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plans import conf
from plans.models import Tenant
from plans.validation import Subject
from plans.validation.tenant_ids import validate_tenant_ids
from tests.plans import asking
from tests.plans.rows import PREVIOUS
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db


def found(*ids: str) -> list[tuple[str, str, str]]:
    return asking.found(validate_tenant_ids, tenants=asking.tenants(*ids))


def questions(sandbox: Sandbox) -> tuple[int, int]:
    """How often the list was read, and how often a tenant was asked for."""
    calls = sandbox.calls()
    return len(calls_of(calls, step="ob.list")), len(calls_of(calls, step="ob.get_tenant"))


def test_the_list_answers_for_many(sandbox: Sandbox) -> None:
    sandbox.reset(tenants=20_000)
    ids = [f"tenant-{number:03}" for number in range(1, 19_999)]
    assert found(*ids, "tenant-none") == [("error", "TENANT_UNKNOWN", "tenant-none")]
    assert questions(sandbox) == (20, 1)


def test_the_list_is_read_no_further_than_to_the_last_that_is_wanted(sandbox: Sandbox) -> None:
    sandbox.reset(tenants=3000)
    # In order of text: tenant-1000 comes before tenant-101.
    assert found(*(f"tenant-{number:03}" for number in range(1, 200))) == []
    assert questions(sandbox) == (2, 0)


def test_few_are_asked_for_without_the_list(sandbox: Sandbox) -> None:
    sandbox.reset(tenants=conf.OB_QUESTIONS_MAX)
    assert found(*(f"tenant-{number:03}" for number in range(1, conf.OB_QUESTIONS_MAX + 1))) == []
    assert questions(sandbox) == (0, conf.OB_QUESTIONS_MAX)


@pytest.mark.parametrize("code", [404, 503])
def test_without_a_list_each_is_asked_for(sandbox: Sandbox, code: int) -> None:
    sandbox.reset(tenants=150)
    sandbox.add_fault("*", "ob.list", "status", code=code)
    assert found(*(f"tenant-{number:03}" for number in range(1, 151))) == []
    assert questions(sandbox) == (1, 150)


def test_those_for_whom_time_was_too_short_are_counted_and_the_next_try_goes_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.reset(tenants=150)
    sandbox.add_fault("*", "ob.list", "status", code=501)
    # The first 32 answer, the others come when the time is over.
    hanging = sandbox.add_fault("tenant-040", "ob.get_tenant", "hang")
    monkeypatch.setattr(conf, "OB_QUESTIONS_SECONDS", 6.5)
    ids = [f"tenant-{number:03}" for number in range(1, 151)]
    [issue] = validate_tenant_ids(Subject(replace(asking.REQUEST, tenants=asking.tenants(*ids))))
    heard = Tenant.objects.count()
    assert 0 < heard < 150
    assert issue.code == "TENANTS_UNHEARD"
    assert f"nothing of {150 - heard} of the tenants within 6.5 s" in issue.message.english

    sandbox.remove_fault(hanging)
    monkeypatch.setattr(conf, "OB_QUESTIONS_SECONDS", 200.0)
    assert found(*ids) == []
    assert questions(sandbox)[1] < 2 * 150


def test_known_tenants_cost_one_statement_for_five_hundred(sandbox: Sandbox) -> None:
    ids = [f"tenant-{number:04}" for number in range(5000)]
    endpoints = PREVIOUS["endpoints"]
    Tenant.objects.bulk_create(
        Tenant(tenant_id=each, environment="blue", endpoints=endpoints, synced_at=timezone.now())
        for each in ids
    )
    subject = Subject(replace(asking.REQUEST, tenants=asking.tenants(*ids)))
    with CaptureQueriesContext(connection) as statements:
        assert len(subject.tenants) == 5000
    assert len(statements) == 10
    assert questions(sandbox) == (0, 0)
