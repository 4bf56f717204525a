"""The form of a new plan: preview, refusals, creation."""

from typing import Any

import pytest
from django.test import Client

from plans.models import Plan, PlanState, Task, Tenant
from tests.web.conftest import add_tenants

pytestmark = pytest.mark.django_db


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Autumn",
        "executor_type": "BLUE_GREEN_SWITCH",
        "target": "green",
        "tenants": "tenant-0001, tenant-0002\ntenant-0003",
        "waves": "1, rest",
        "wave_mode": "CONCURRENT",
        "max_concurrency": "2",
        "failure_policy": "halt",
        "failure_budget": "",
        **changes,
    }


def test_nothing_is_selected_at_first(operator: Client) -> None:
    add_tenants(3)
    text = operator.get("/plans/new/").text
    assert text.count('name="pick"') == 3
    assert " checked" not in text


def test_a_plan_is_created_and_not_started(operator: Client) -> None:
    add_tenants(3)
    answer = operator.post("/plans/new/", filled(then="stay"))
    plan = Plan.objects.get()
    assert answer.headers["Location"] == f"/plans/{plan.pk}/"
    assert plan.state == PlanState.CREATED
    assert [wave.size for wave in plan.waves.all()] == [1, 2]


def test_a_plan_is_created_and_started(operator: Client) -> None:
    add_tenants(3)
    operator.post("/plans/new/", filled(then="start"))
    assert Plan.objects.get().state == PlanState.RUNNING


def test_ticked_and_pasted_tenants_are_joined(operator: Client) -> None:
    add_tenants(3)
    ticked = ["tenant-0001", "tenant-0003"]
    operator.post("/plans/new/", filled(tenants="tenant-0001", pick=ticked))
    assert list(Task.objects.values_list("tenant_id", flat=True)) == ticked


def test_all_that_match_a_search_are_added_to_the_list(operator: Client) -> None:
    add_tenants(70)
    text = operator.post("/plans/new/", filled(tenants="", search="00", add="matching")).text
    assert "tenant-0070" in text.split("</textarea>")[0]
    assert "<b>70</b> tenants move to" in text
    assert not Plan.objects.exists()


def test_a_preview_stores_nothing_and_says_what_would_happen(operator: Client) -> None:
    add_tenants(3)
    Tenant.objects.filter(pk="tenant-0003").update(environment="green")
    answer = operator.post("/plans/new/preview/", filled(), headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<section id="preview"')
    assert "<b>2</b> tenants move to" in answer.text
    assert "The tenant is already green." in answer.text
    assert "No errors: it can be created." in answer.text
    assert not Plan.objects.exists()
    assert "<html" in operator.post("/plans/new/preview/", filled()).text


def test_a_refusal_shows_the_whole_summary_by_tenant(operator: Client) -> None:
    add_tenants(1)
    answer = operator.post("/plans/new/", filled(tenants="tenant-0001 tenant-0001 bad/id <b>"))
    assert answer.status_code == 422
    assert "bad/id" in answer.text
    assert "&lt;b&gt;" in answer.text
    assert "tenant-0001" in answer.text.split("</textarea>")[0]
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("executor_type", "NO_SUCH"),
        ("target", "red"),
        ("waves", "1, many"),
        ("waves", "1e9"),
        ("wave_mode", "SIDEWAYS"),
        ("max_concurrency", "0"),
        ("max_concurrency", "9" * 40),
        ("max_concurrency", "two"),
        ("failure_policy", "pray"),
        ("failure_budget", "-1"),
        ("tenants", ""),
        ("tenants", "a\x00b"),
        ("waves", "1"),
    ],
)
def test_bad_input_is_refused_and_stores_nothing(field: str, value: str, operator: Client) -> None:
    add_tenants(3)
    answer = operator.post("/plans/new/", filled(**{field: value}))
    assert answer.status_code == 422
    assert not Plan.objects.exists()
    assert operator.post("/plans/new/preview/", filled(**{field: value})).status_code == 200


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("", [5]), ("2, rest", [2, 3]), ("20%, 50%, rest", [1, 3, 1]), ("1 fifo, REST", [1, 4])],
)
def test_waves_are_written_as_a_line(text: str, sizes: list[int], operator: Client) -> None:
    tenants = " ".join(add_tenants(5))
    operator.post("/plans/new/", filled(tenants=tenants, waves=text))
    waves = list(Plan.objects.get().waves.all())
    assert [wave.size for wave in waves] == sizes
    assert ("fifo" in text) == (waves[0].mode == "FIFO")


def test_parameters_of_stages_come_as_json(operator: Client) -> None:
    add_tenants(3)
    operator.post("/plans/new/", filled(parameters='{"check_health": {"attempts": 20}}'))
    pipeline = {spec["name"]: spec["params"] for spec in Task.objects.all()[0].pipeline}
    assert pipeline["check_health"] == {"attempts": 20}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Parameters are JSON by stage"),
        ('{"check_health": {"attempts": 0}}', "Give at least 1"),
        ('{"notify_services": {"services": [{"name": "x", "strategy": "y"}]}}', "no strategy y"),
    ],
)
def test_parameters_that_do_not_fit_are_told_and_stay_in_the_form(
    operator: Client, text: str, said: str
) -> None:
    add_tenants(3)
    answer = operator.post("/plans/new/", filled(parameters=text))
    assert answer.status_code == 422
    assert said in answer.text
    assert '<details id="more" open>' in answer.text
    assert not Plan.objects.exists()
