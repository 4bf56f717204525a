"""The plan's page: its statements, its table, hostile names."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plans import operations
from plans.models import Plan, Task, TaskState, Wave
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, MakePlan, add_tenants, stand

HOSTILE = "<script>alert(1)</script>\"'&amp; مرحبا 💥"


def statements(client: Client, where: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(where).status_code == 200
    return len(seen)


def test_the_statements_do_not_grow_with_the_plan(operator: Client, make_plan: MakePlan) -> None:
    small = make_plan(3)
    stand(Task.objects.filter(plan=small), TaskState.COMPLETED)
    large = make_plan(120, waves=[{"size": 1}, {"percent": 10}, {"rest": True}])
    stand(Task.objects.filter(plan=large)[:20], TaskState.FAILED, **FAILED_FIELDS)
    for page in ("/plans/{}/", "/"):
        few = statements(operator, page.format(small.pk))
        assert statements(operator, page.format(large.pk)) <= few + 2  # the failures' samples
        assert few <= 30


def test_a_plan_of_5000_tasks_stays_under_600_kb(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(5000)
    stand(Task.objects.filter(plan=plan), TaskState.COMPLETED, cursor=6)
    answer = operator.get(f"/plans/{plan.pk}/")
    assert answer.text.count('<a class="cell') == 5000
    assert len(answer.content) < 600_000


def test_the_overview_of_10000_tenants_stays_under_1_mb(operator: Client) -> None:
    add_tenants(10_000)
    answer = operator.get("/")
    assert answer.text.count('<a class="cell b" id=t-') == 10_000
    assert len(answer.content) < 1_000_000


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=FAILED", 2),
        ("state=failed&state=PENDING", 5),
        ("state=nonsense", 5),
        ("q=0003", 1),
        ("q=customer", 5),
        ("q=%00", 5),
        ("wave=1", 1),
        ("wave=2", 4),
        ("wave=x", 5),
        ("stage=switch_route&code=GATEWAY_TIMEOUT", 2),
        ("stage=switch_route&code=OTHER", 0),
        ("page=77", 5),
        ("page=x&sort=-finished", 5),
        ("sort=password", 5),
    ],
)
def test_the_address_filters_the_table(
    query: str, found: int, operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(5, waves=[{"size": 1}, {"rest": True}])
    stand(Task.objects.filter(plan=plan)[1:3], TaskState.FAILED, **FAILED_FIELDS)
    answer = operator.get(f"/plans/{plan.pk}/?{query}")
    assert answer.status_code == 200
    assert answer.text.count('<tr id="task-') == found


def test_htmx_gets_the_table_alone(operator: Client, make_plan: MakePlan) -> None:
    headers = {"HX-Request": "true", "HX-Target": "task-table"}
    text = operator.get(f"/plans/{make_plan().pk}/?state=PENDING", headers=headers).text
    assert text.lstrip().startswith('<section id="task-table"')
    assert "data-filtered" in text


def test_hostile_names_are_only_text(operator: Client, make_plan: MakePlan) -> None:
    add_tenants(1, name=HOSTILE)
    plan = make_plan(1, name=HOSTILE)
    task = Task.objects.get()
    operations.start_plan(plan.pk, OPERATOR, reason=HOSTILE)
    for page in (
        "/",
        "/plans/",
        f"/plans/{plan.pk}/",
        f"/plans/{plan.pk}/pause/",
        f"/tasks/{task.pk}/",
    ):
        text = operator.get(page).text
        assert "alert(1)" in text, page
        assert "<script>alert" not in text, page


def test_failures_are_grouped_by_stage_and_code(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(5)
    operations.start_plan(plan.pk, OPERATOR)
    stand(Task.objects.filter(plan=plan)[:4], TaskState.FAILED, **FAILED_FIELDS)
    text = operator.get(f"/plans/{plan.pk}/").text
    assert "Continue 4 from their checkpoint" in text
    assert text.count('<li id="failure-') == 1


def test_a_button_that_is_disabled_says_why(operator: Client, make_plan: MakePlan) -> None:
    text = operator.get(f"/plans/{make_plan().pk}/").text
    assert 'id="act-pause" aria-disabled="true" aria-describedby="why-pause"' in text
    assert "The plan is created." in text


def test_a_created_plan_says_why_it_does_not_move(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    assert "waits to be started" in operator.get(f"/plans/{plan.pk}/").text
    task = Task.objects.filter(plan=plan)[0]
    assert "Its plan has not been started." in operator.get(f"/tasks/{task.pk}/").text


def test_a_task_of_a_later_wave_says_that_it_waits_for_the_earlier(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3, waves=[{"size": 1}, {"rest": True}])
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get(plan=plan, position=2)
    text = operator.get(f"/tasks/{task.pk}/").text
    assert "Wave 2 begins when wave 1 has ended: 1 task is left there." in text


def test_a_task_that_gets_no_slot_says_so(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(3, max_concurrency=1)
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get(plan=plan, position=2)
    assert "Waits for a slot: 1 of 1 are taken." in operator.get(f"/tasks/{task.pk}/").text


def test_the_two_retries_have_names_and_list_what_will_run(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.filter(plan=plan)[0]
    stand([task], TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    text = operator.get(f"/tasks/{task.pk}/").text
    assert "Continue from checkpoint: switch route" in text
    assert "runs switch route → check health → update status" in text
    assert "Start over from: read tenant" in text
    assert "Roll back to blue" in text


def test_the_list_searches_and_filters(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(name="Autumn release")
    operations.cancel_plan(plan.pk, OPERATOR)
    make_plan(name="Winter release")
    for query, found in [
        ("", 2),
        ("q=winter", 1),
        ("q=olga", 2),
        (f"q={plan.pk}", 1),
        ("q=" + "9" * 30, 0),
        ("state=CANCELLED", 1),
        ("state=nonsense", 2),
        ("q=%00&page=zz", 2),
    ]:
        assert operator.get(f"/plans/?{query}").text.count('<tr id="plan-') == found, query
    assert Plan.objects.count() == 2


def test_a_cancelled_plan_offers_no_retry_and_calls_no_wave_done(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3, waves=[{"size": 1}, {"rest": True}])
    operations.start_plan(plan.pk, OPERATOR)
    stand(Task.objects.filter(position=0), TaskState.FAILED, **FAILED_FIELDS, admitted=False)
    failures = f"/plans/{plan.pk}/tasks/retry/?scope=all&amp;stage="
    assert failures in operator.get(f"/plans/{plan.pk}/").text
    operations.cancel_plan(plan.pk, OPERATOR)
    text = operator.get(f"/plans/{plan.pk}/").text
    assert failures not in text
    ladder = text[text.index('id="plan-waves"') : text.index('id="plan-stages"')]
    assert "0 / 2" in ladder
    assert "2 cancelled" in ladder
    assert '<li class="done">' not in ladder
    assert ladder.count('<li class="failed">') == 1


def test_a_wave_that_was_rolled_back_is_not_done(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(6, waves=[{"size": 3}, {"size": 2}, {"rest": True}], failure_policy="continue")
    operations.start_plan(plan.pk, OPERATOR)
    Wave.objects.update(finished_at=timezone.now())
    Plan.objects.update(current_wave=3)
    tasks = list(Task.objects.filter(plan=plan))
    stand(tasks[:2], TaskState.ROLLED_BACK, admitted=False)
    stand(tasks[2:3], TaskState.FAILED, **FAILED_FIELDS, admitted=False)
    stand(tasks[3:5], TaskState.ROLLED_BACK, admitted=False)
    stand(tasks[5:], TaskState.COMPLETED, admitted=False)
    text = operator.get(f"/plans/{plan.pk}/").text
    ladder = text[text.index('id="plan-waves"') : text.index('id="plan-stages"')]
    first, second, third = ladder.split("<li class=")[1:]
    assert first.startswith('"failed">')
    assert "0 / 3" in first
    assert "1 failed" in first
    assert "2 rolled back" in first
    assert second.startswith('"ahead">')
    assert "0 / 2" in second
    assert third.startswith('"done">')
    assert "1 / 1" in third
