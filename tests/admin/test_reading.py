"""What auditors find in the admin, and how little it costs."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from plans import operations
from plans.errors import ValidationFailed
from plans.models import Event, Plan, StageRun, Task, Tenant, Wave
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = "admin:plans_event_changelist"


@pytest.fixture
def plan(sandbox: Sandbox, client: Client) -> Plan:
    """A plan that ran, one tenant failed; `client` is a viewer."""
    viewer = User.objects.create_user("vera")
    viewer.groups.add(Group.objects.get(name="viewer"))
    client.force_login(viewer)
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], name="Ümzug <script>")
    operations.start_plan(plan.pk, OPERATOR, reason="because")
    work_off()
    return plan


def text_of(client: Client, url: str, **query: object) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def count_of(client: Client, **query: object) -> int:
    """How many events a list finds."""
    found = re.search(r"(\d+) events?\b", text_of(client, reverse(EVENTS), **query))
    assert found
    return int(found[1])


def test_events_are_found_by_plan_tenant_actor_kind_and_reason(client: Client, plan: Plan) -> None:
    for query, expected in [
        ({"plan__id__exact": plan.pk}, Event.objects.filter(plan=plan)),
        ({"q": "tenant-001"}, Event.objects.filter(tenant_id="tenant-001")),
        ({"q": "Ümzug"}, Event.objects.filter(plan=plan)),
        ({"q": OPERATOR.name}, Event.objects.filter(actor=OPERATOR.name)),
        ({"q": "stage.failed"}, Event.objects.filter(kind="stage.failed")),
        ({"q": "because"}, Event.objects.filter(reason="because")),
        ({"kind__exact": "plan.started"}, Event.objects.filter(kind="plan.started")),
        ({"q": "🙂 '\"<b>% \u202e"}, Event.objects.none()),
    ]:
        assert count_of(client, **query) == expected.count(), query
    assert "Null characters are not allowed" in text_of(client, reverse(EVENTS), q="\x00")


def test_a_refusal_is_found_with_its_reason(client: Client, plan: Plan) -> None:
    with pytest.raises(ValidationFailed):
        make_plan(["no such tenant"])
    assert count_of(client, of="installation") == 2
    assert "no such tenant" in text_of(client, reverse(EVENTS), of="installation")


def test_a_plan_leads_to_its_events_and_a_task_shows_its_failure(
    client: Client, plan: Plan
) -> None:
    page = text_of(client, reverse("admin:plans_plan_change", args=[plan.pk]))
    address = f"{reverse(EVENTS)}?plan__id__exact={plan.pk}"
    assert f'href="{address}"' in page
    assert client.get(address).status_code == 200
    task = Task.objects.get(tenant="tenant-002")
    page = text_of(client, reverse("admin:plans_task_change", args=[task.pk]))
    assert "<pre>{" in page
    assert "GATEWAY_REJECTED" in page


def test_every_page_works_under_the_content_security_policy(client: Client, plan: Plan) -> None:
    urls = [reverse("admin:index"), reverse("admin:login")]
    for model in (Plan, Wave, Task, StageRun, Event):
        name = f"admin:plans_{model._meta.model_name}"
        row = model._default_manager.first()
        assert row
        urls += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
    for url in urls:
        answer = client.get(url, follow=True)
        page = answer.content.decode()
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*json)|\bon\w+=|\bstyle=|<style", page)
        assert "<script>" not in page


@pytest.mark.parametrize("model", [Plan, Wave, Task, StageRun, Event])
def test_a_list_counts_once_and_reads_its_rows_by_one_statement(
    client: Client,
    plan: Plan,
    model: type[Event],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    name = f"admin:plans_{model._meta.model_name}_changelist"
    client.get(reverse(name))
    # Session, user, two for permissions, one count, one for the rows.
    with django_assert_max_num_queries(7) as queries:
        client.get(reverse(name))
    counts = [query for query in queries.captured_queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1


def test_tenants_that_are_gone_are_found(client: Client, plan: Plan) -> None:
    Tenant.objects.filter(pk="tenant-002").update(gone_at=timezone.now())
    address = reverse("admin:plans_tenant_changelist")
    text = text_of(client, address, gone_at__isnull="False")
    assert ("tenant-002" in text, "tenant-001" in text) == (True, False)
    shown = text_of(client, reverse("admin:plans_tenant_change", args=["tenant-002"]))
    assert "Gone from the OB service since" in shown
