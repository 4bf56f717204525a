"""Who sees which page, and who may act."""

import pytest
from django.test import Client

from plans.models import Plan, PlanState, Task
from tests.web.conftest import MakePlan

PAGES = [
    "/",
    "/plans/",
    "/plans/new/",
    "/plans/new/tenants/",
    "/plans/{plan}/",
    "/plans/{plan}/start/",
    "/plans/{plan}/tasks/retry/?scope=all",
    "/tasks/{task}/",
    "/tasks/{task}/cancel/",
    "/system/",
]
ACTS = ["/plans/{plan}/start/", "/plans/{plan}/cancel/", "/tasks/{task}/cancel/"]


def address(template: str, plan: Plan) -> str:
    return template.format(plan=plan.pk, task=Task.objects.filter(plan=plan)[0].pk)


@pytest.mark.parametrize("page", PAGES)
def test_operator_and_viewer_see_a_page_and_others_do_not(
    page: str,
    operator: Client,
    viewer: Client,
    stranger: Client,
    anonymous: Client,
    make_plan: MakePlan,
) -> None:
    where = address(page, make_plan())
    assert operator.get(where).status_code == 200
    assert viewer.get(where).status_code == 200
    refused = stranger.get(where)
    assert refused.status_code == 403
    assert "no role" in refused.text
    assert anonymous.get(where).headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("act", ACTS)
def test_only_an_operator_may_act(
    act: str,
    operator: Client,
    viewer: Client,
    stranger: Client,
    anonymous: Client,
    make_plan: MakePlan,
) -> None:
    plan = make_plan()
    where = address(act, plan)
    refused = viewer.post(where, {"seen": ""})
    assert refused.status_code == 403
    assert "vera may not do this" in refused.text
    assert stranger.post(where).status_code == 403
    assert anonymous.post(where).status_code == 302
    assert Plan.objects.get().state == PlanState.CREATED
    assert operator.post(where, {"seen": ""}).status_code == 302


def test_a_viewer_may_not_act_on_a_selection(viewer: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    task = Task.objects.filter(plan=plan)[0]
    answer = viewer.post(f"/plans/{plan.pk}/tasks/cancel/", {"selection": f"PENDING:{task.pk}"})
    assert answer.status_code == 403
    assert "vera may not do this" in answer.text
    assert Task.objects.get(pk=task.pk).state == "PENDING"


def test_a_viewer_may_not_create_or_preview(viewer: Client, make_plan: MakePlan) -> None:
    for where in ("/plans/new/", "/plans/new/preview/"):
        assert viewer.post(where, {"name": "x"}).status_code == 403
    assert not Plan.objects.exists()


def test_pages_say_that_a_viewer_may_not_operate(viewer: Client, make_plan: MakePlan) -> None:
    text = viewer.get(f"/plans/{make_plan().pk}/").text
    assert 'data-may-operate="false"' in text
    assert "Your role may look, but not operate" in text


@pytest.mark.parametrize("page", ["/", "/plans/", "/plans/{plan}/", "/tasks/{task}/", "/system/"])
def test_pages_cannot_be_posted_to(page: str, operator: Client, make_plan: MakePlan) -> None:
    assert operator.post(address(page, make_plan())).status_code == 405


@pytest.mark.parametrize(
    "page", ["/plans/999999/", "/tasks/999999/", "/plans/999999/start/", "/plans/x/", "/nowhere/"]
)
def test_what_does_not_exist_is_not_found(page: str, operator: Client) -> None:
    assert operator.get(page).status_code == 404


def test_no_page_holds_an_inline_style_or_script(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    for page in PAGES:
        text = operator.get(address(page, plan)).text
        assert " style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert " onclick=" not in text
