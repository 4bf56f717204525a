"""The lists of the admin are filtered by what they offer, and by nothing else."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from plans import admin, operations
from plans.models import Journal, Plan, StageRun, Task, Tenant, Wave
from tests.support.driving import OPERATOR, make_plan

pytestmark = pytest.mark.django_db

LINKS = re.compile(r'href="([^"]*\?[^"]+)"')


@pytest.fixture
def anna(client: Client) -> User:
    """Somebody with the role admin, signed in with `client`."""
    anna = User.objects.create_user("anna")
    anna.groups.add(Group.objects.get(name="admin"))
    client.force_login(anna)
    return anna


@pytest.fixture
def plan(sandbox: object) -> Plan:
    """A plan that has begun."""
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    return plan


def list_of(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def links_on(client: Client, page: str) -> set[str]:
    """The addresses with a query that a page of the admin links to."""
    answer = client.get(page)
    assert answer.status_code == 200
    found = LINKS.findall(answer.content.decode())
    return {urljoin(page, unescape(address)) for address in found}


def lists() -> Iterator[str]:
    for model in admin.site._registry:
        yield list_of(f"{model._meta.app_label}_{model._meta.model_name}")


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("plans_event", "hash__regex"),
        ("plans_event", "kind__regex"),
        ("plans_event", "kind__iregex"),
        ("plans_event", "plan__name__regex"),
        ("plans_event", "tenant_id__regex"),
        ("plans_event", "reason__icontains"),
        ("plans_event", "at__date__gte"),
        ("plans_event", "of__regex"),
        ("plans_event", "kindly"),
        ("plans_event", "no_such_field"),
        ("plans_plan", "name__regex"),
        ("plans_plan", "state__regex"),
        ("plans_journal", "name"),
        ("plans_journal", "plan__id__exact"),
        ("auth_user", "username__regex"),
        ("auth_user", "password__startswith"),
        ("auth_user", "groups__name__regex"),
        ("auth_group", "name__regex"),
        ("plans_apitoken", "digest__startswith"),
        ("admin_logentry", "object_repr__regex"),
    ],
)
def test_what_a_list_does_not_offer_is_refused(
    client: Client, anna: User, model: str, lookup: str
) -> None:
    for value in ("a", "("):
        assert client.get(list_of(model), {lookup: value}).status_code == 400


def test_every_filter_that_a_list_offers_works(client: Client, anna: User, plan: Plan) -> None:
    offered = {link for page in lists() for link in links_on(client, page)}
    assert {link.partition("=")[0].partition("?")[2] for link in offered} >= {
        "kind__exact",
        "of",
        "at__gte",
        "state__exact",
        "finished_at__isnull",
        "groups__id__exact",
        "is_active__exact",
    }
    for link in offered:
        assert client.get(link).status_code == 200, link


def test_every_list_that_a_row_links_to_opens(client: Client, anna: User, plan: Plan) -> None:
    for model in (Plan, Wave, Task, StageRun, Tenant, Journal):
        name = f"admin:plans_{model._meta.model_name}_change"
        for row in model._default_manager.all():
            for link in links_on(client, reverse(name, args=[row.pk])):
                assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        ("kind__exact", "\x00"),
        ("tenant_id", "\x00"),
        ("plan__id__exact", "x"),
        ("plan__id__exact", "9" * 30),
        ("plan__id__exact", ""),
        ("at__gte", "yesterday"),
        ("at__isnull", "maybe"),
        ("at__gte", "9" * 30),
        ("kind__id__exact", "1"),
        ("of", "\x00"),
    ],
)
def test_a_value_that_makes_no_sense_is_no_error_of_ours(
    client: Client, anna: User, lookup: str, value: str
) -> None:
    assert client.get(list_of("plans_event"), {lookup: value}).status_code in (200, 302, 400)
