"""The global stop on pages: confirmed, seen everywhere, lifted."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from plans import operations
from plans.models import Plan, PlanState, Stop, Task
from tests.support.driving import OPERATOR
from tests.web.conftest import MakePlan

HTMX = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


def test_everything_is_stopped_and_every_page_says_so(
    operator: Client, viewer: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    task = Task.objects.filter(plan=plan)[0]
    assert "Nothing is handed out any more" in operator.get("/stop/").text
    operator.post("/stop/", {"reason": "the <gateway> burns"})
    assert Stop.objects.get().stopped_by == "olga"
    pages = ["/", "/plans/", "/plans/new/", f"/plans/{plan.pk}/", f"/tasks/{task.pk}/", "/system/"]
    for page in [*pages, f"/plans/{plan.pk}/start/", "/plans/999/"]:
        text = viewer.get(page).text
        assert "the &lt;gateway&gt; burns" in text, page
        assert "by olga" in text, page
    banner = viewer.get("/stop/", headers={**HTMX, "HX-Target": "stop-banner"}).text
    assert banner.startswith('<div id="stop-banner" class="stop-banner"')


def test_a_running_plan_says_that_it_is_stopped(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    operations.start_plan(plan.pk, OPERATOR)
    operations.stop_everything(OPERATOR, reason="fire")
    said = "Everything is stopped by olga (fire): nothing is handed out."
    assert said in operator.get(f"/plans/{plan.pk}/").text
    assert said in operator.get(f"/tasks/{Task.objects.all()[0].pk}/").text


def test_a_stop_is_the_reason_and_not_the_want_of_workers(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    operations.start_plan(plan.pk, OPERATOR)
    Task.objects.update(rung_at=timezone.now() - timedelta(minutes=1))
    assert "no worker takes them" in operator.get(f"/plans/{plan.pk}/").text
    operations.stop_everything(OPERATOR)
    text = operator.get(f"/plans/{plan.pk}/").text
    assert "Everything is stopped by olga" in text.partition('id="plan-header"')[2]
    assert "no worker takes them" not in text


def test_the_confirmation_counts_plans_that_are_rolled_back(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    assert "Plans under way now: 0." in operator.get("/stop/").text
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.ROLLING_BACK)
    assert "Plans under way now: 1." in operator.get("/stop/").text


def test_the_stop_that_was_seen_is_lifted(operator: Client) -> None:
    stop = operations.stop_everything(OPERATOR)
    assert f'name="seen" value="{stop.pk}"' in operator.get("/stop/lift/", headers=HTMX).text
    assert operator.post("/stop/lift/", {"seen": stop.pk + 1}).status_code == 409
    assert Stop.objects.get().active
    assert operator.post("/stop/lift/", {"seen": stop.pk}).status_code == 302
    assert not Stop.objects.get().active
    assert operator.post("/stop/lift/", {"seen": stop.pk}).status_code == 409


def test_who_may_not_operate_stops_and_lifts_nothing(viewer: Client, stranger: Client) -> None:
    for client in (viewer, stranger):
        assert client.post("/stop/").status_code == 403
    assert not Stop.objects.exists()
    operations.stop_everything(OPERATOR)
    for client in (viewer, stranger):
        assert client.post("/stop/lift/").status_code == 403
    assert Stop.objects.get().active
    assert "Everything is stopped" not in stranger.get("/").text


def test_a_second_stop_is_refused(operator: Client) -> None:
    operations.stop_everything(OPERATOR)
    assert "Everything is stopped already, by olga." in operator.get("/stop/").text
    assert operator.post("/stop/").status_code == 409
    assert Stop.objects.count() == 1
