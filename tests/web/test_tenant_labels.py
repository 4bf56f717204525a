"""Tenants for a new plan, chosen by their labels."""

import pytest
from django.test import Client

from plans.models import Tenant
from tests.web.conftest import add_tenants
from tests.web.test_new_plan import filled

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _labels() -> None:
    add_tenants(4)
    for tenant_id, labels in {
        "tenant-0001": {"ring": "canary", "region": "eu"},
        "tenant-0002": {"ring": "canary"},
        "tenant-0003": {"ring": '<b>"late"</b>', "a__b": "x=y"},
    }.items():
        Tenant.objects.filter(pk=tenant_id).update(labels=labels)


@pytest.mark.parametrize(
    ("label", "matching"),
    [
        ("ring=canary", {"tenant-0001", "tenant-0002"}),
        ("region=eu", {"tenant-0001"}),
        ('ring=<b>"late"</b>', {"tenant-0003"}),
        ("a__b=x=y", {"tenant-0003"}),
        ("region=", set()),
        ("nothing", set()),
        ("a\x00'\"$.b=x", set()),
    ],
)
def test_a_label_shows_the_tenants_that_have_it(
    operator: Client, label: str, matching: set[str]
) -> None:
    text = operator.post("/plans/new/tenants/", {"label": label}).text
    assert {
        each for each in Tenant.objects.values_list("pk", flat=True) if each in text
    } == matching


def test_the_form_offers_every_label_with_its_count(operator: Client) -> None:
    text = operator.get("/plans/new/").text
    assert '<option value="ring=canary">ring=canary (2)</option>' in text
    assert "ring=&lt;b&gt;&quot;late&quot;&lt;/b&gt; (1)</option>" in text


def test_all_of_a_label_are_added_to_the_list(operator: Client) -> None:
    filled_in = filled(tenants="", label="ring=canary", add="matching")
    text = operator.post("/plans/new/", filled_in).text
    assert "tenant-0001\ntenant-0002</textarea>" in text
    assert '<option value="ring=canary" selected>' in text


def test_without_labels_nothing_is_offered(operator: Client) -> None:
    Tenant.objects.update(labels={})
    assert 'name="label"' not in operator.get("/plans/new/").text


def test_the_api_lists_tenants_by_label(operator: Client) -> None:
    answer = operator.get("/api/tenants", {"label": "ring=canary"}).json()
    assert [each["tenantId"] for each in answer["items"]] == ["tenant-0001", "tenant-0002"]
    assert answer["items"][0]["labels"] == {"ring": "canary", "region": "eu"}
