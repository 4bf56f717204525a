"""The page that shows a plan as it was."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plans import operations
from plans.models import Event, Task
from tests.support.driving import OPERATOR
from tests.web.conftest import MakePlan

PART = {"HX-Request": "true", "HX-Target": "replay-moment"}


def test_a_moment_is_shown_as_the_past_with_ways_to_others(
    viewer: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3)
    operations.start_plan(plan.pk, OPERATOR)
    operations.cancel_plan(plan.pk, OPERATOR)
    here = f"/plans/{plan.pk}/replay/"
    assert f'<a href="{here}">Replay</a>' in viewer.get(f"/plans/{plan.pk}/").text
    started = Event.objects.get(plan=plan, kind="plan.started").seq
    text = viewer.get(f"{here}?at={started}").text
    assert "The past" in text
    assert f'<a class="button" href="/plans/{plan.pk}/">Back to now</a>' in text
    assert "the plan was" in text
    last = Event.objects.filter(plan=plan).latest("seq").seq
    assert f"event {started} of {last}" in text
    assert text.count('class="cell b pending"') == 3 + 1  # and the legend's
    for seq in (7, started - 1, started + 1, last):
        assert f'href="{here}?at={seq}"' in text
    assert f'min="7" max="{last}" value="{started}"' in text
    ended = viewer.get(f"{here}?at={last}").text
    assert ended.count('class="cell b cancelled"') == 3 + 1


def test_paused_tasks_are_counted_in_the_past_too(viewer: Client, make_plan: MakePlan) -> None:
    plan = make_plan(2)
    operations.start_plan(plan.pk, OPERATOR)
    operations.pause_task(Task.objects.filter(plan=plan)[0].pk, OPERATOR)
    for page in (f"/plans/{plan.pk}/", f"/plans/{plan.pk}/replay/"):
        funnel = viewer.get(page).text.partition('<ol class="funnel">')[2].partition("</ol>")[0]
        assert "1 paused" in funnel, page
        assert ("hx-get" in funnel) == ("replay" not in page)


def test_the_slider_gets_the_moment_alone(viewer: Client, make_plan: MakePlan) -> None:
    plan = make_plan(3)
    answer = viewer.get(f"/plans/{plan.pk}/replay/?at=7", headers=PART)
    assert '<div id="replay-moment"' in answer.text
    assert "replay-slider" not in answer.text


@pytest.mark.parametrize("at", ["", "x", "-1", "9" * 30, "٣", "%00", "1e3"])
def test_what_is_no_moment_is_the_latest_one(viewer: Client, make_plan: MakePlan, at: str) -> None:
    plan = make_plan(1)
    answer = viewer.get(f"/plans/{plan.pk}/replay/?at={at}")
    assert answer.status_code == 200
    assert "event 3 of 3" in answer.text


def test_a_plan_that_is_not_there_has_no_past(viewer: Client) -> None:
    assert viewer.get("/plans/77/replay/").status_code == 404


def test_the_statements_of_the_page_do_not_grow_with_the_plan(
    viewer: Client, make_plan: MakePlan
) -> None:
    counts = []
    for size in (3, 120):
        plan = make_plan(size)
        operations.start_plan(plan.pk, OPERATOR)
        operations.cancel_plan(plan.pk, OPERATOR)
        with CaptureQueriesContext(connection) as queries:
            assert viewer.get(f"/plans/{plan.pk}/replay/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_a_past_of_5000_tenants_stays_under_600_kb(viewer: Client, make_plan: MakePlan) -> None:
    plan = make_plan(5000)
    answer = viewer.get(f"/plans/{plan.pk}/replay/", headers=PART)
    assert answer.text.count('<a class="cell') == 5000
    assert len(answer.content) < 600_000
