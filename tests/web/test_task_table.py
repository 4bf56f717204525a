"""The table of a plan's tasks: sorting, filtering, paging, and its other face, the timeline."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from plans import operations
from plans.models import Plan, Task, TaskState
from plans.queries import funnel
from plans.queries.tally import Tally
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, MakePlan, stand

HTMX = {"HX-Request": "true", "HX-Target": "task-table"}


def shown(text: str) -> list[str]:
    return re.findall(r'<tr id="(?:task|line-of)-\d+">.*?>(tenant-\d+)</a>', text, re.DOTALL)


@pytest.fixture
def plan(make_plan: MakePlan) -> Plan:
    """Six tenants: paused, failed, rolling back at the third, fourth and fifth stage; one done."""
    plan = make_plan(6)
    operations.start_plan(plan.pk, OPERATOR)
    tasks = list(Task.objects.filter(plan=plan))
    ago = [timezone.now() - timedelta(minutes=minutes) for minutes in range(10)]
    stand(tasks[0:1], TaskState.PAUSED, cursor=2, step="notify_services", started_at=ago[3])
    stand(tasks[1:2], TaskState.FAILED, **FAILED_FIELDS, started_at=ago[9], finished_at=ago[1])
    stand(tasks[2:3], TaskState.ROLLING_BACK, cursor=5, reached=5, started_at=ago[5])
    stand(tasks[3:4], TaskState.COMPLETED, cursor=6, started_at=ago[9], finished_at=ago[8])
    stand(tasks[4:], TaskState.PENDING, started_at=None)
    return plan


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("-tenant", ["0006", "0005"]),
        ("since", ["0004", "0003", "0001", "0002", "0005"]),
        ("-since", ["0002", "0001", "0003", "0004", "0006"]),
        ("finished", ["0004", "0002"]),
        ("-stage", ["0004", "0003", "0002", "0001"]),
    ],
)
def test_the_address_sorts(sort: str, first: list[str], operator: Client, plan: Plan) -> None:
    found = shown(operator.get(f"/plans/{plan.pk}/?sort={sort}", headers=HTMX).text)
    assert [name[-4:] for name in found][: len(first)] == first


def test_a_row_says_whether_its_time_is_that_of_the_start_or_of_the_end(
    operator: Client, plan: Plan
) -> None:
    text = operator.get(f"/plans/{plan.pk}/", headers=HTMX).text
    assert "Since" not in text
    times = re.findall(r'<td class="num started"><span class="soft">(\w+)</span> <time', text)
    # Paused, failed, rolling back, completed; two have not begun.
    assert times == ["started", "ended", "started", "ended"]


def test_a_heading_sorts_and_a_second_click_turns_the_order_round(
    operator: Client, plan: Plan
) -> None:
    text = operator.get(f"/plans/{plan.pk}/?sort=tenant&q=tenant&page=1", headers=HTMX).text
    assert (
        '<th scope="col" aria-sort="ascending"><a href="?sort=-tenant&amp;q=tenant#tasks"' in text
    )
    assert 'href="?sort=state&amp;q=tenant#tasks"' in text


def test_every_step_of_the_funnel_leads_to_the_tasks_that_it_counts(
    operator: Client, plan: Plan
) -> None:
    steps = funnel.stage_funnel(plan, Tally.of(plan))
    for step in steps:
        text = operator.get(f"/plans/{plan.pk}/?at={step.name}", headers=HTMX).text
        assert len(shown(text)) == step.here + step.paused + step.failed, step
    counted = {step.name: (step.here, step.paused, step.failed, step.finished) for step in steps}
    assert counted["notify_services"] == (0, 1, 0, 3)
    assert counted["switch_route"] == (0, 0, 1, 2)
    assert counted["check_health"] == (1, 0, 0, 2)
    assert shown(operator.get(f"/plans/{plan.pk}/?at=nonsense", headers=HTMX).text) == []


def test_a_row_names_the_stage_at_which_the_funnel_counts_it(operator: Client, plan: Plan) -> None:
    # It was paused after its last stage had ended; the next one has not begun.
    stand(Task.objects.filter(position=0), TaskState.PAUSED, cursor=4, step="switch_route")
    text = operator.get(f"/plans/{plan.pk}/?at=check_health", headers=HTMX).text
    assert shown(text) == ["tenant-0001", "tenant-0003"]
    named = re.findall(r"</span> <span>([a-z ]+)</span></td>", text)
    assert named == ["check health", "check health"]


def test_a_filter_is_taken_away_alone(operator: Client, plan: Plan) -> None:
    where = f"/plans/{plan.pk}/?state=FAILED&wave=1&stage=switch_route"
    text = operator.get(where, headers=HTMX).text
    chips = text[text.index('class="chips filtering"') : text.index('id="bulk"')]
    assert 'href="?state=FAILED&amp;stage=switch_route#tasks"' in chips
    assert 'href="?wave=1&amp;stage=switch_route#tasks"' in chips
    assert "failed at switch route" in chips


def test_a_page_has_as_many_tasks_as_the_address_says(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(210)
    for query, count in [("", 50), ("size=200", 200), ("size=500", 210), ("size=9999", 50)]:
        text = operator.get(f"/plans/{plan.pk}/?{query}", headers=HTMX).text
        assert len(shown(text)) == count
        assert f"{count} on this page" in text
        assert ("all 210 that match" in text) == (count < 210)
    text = operator.get(f"/plans/{plan.pk}/?size=200&page=2", headers=HTMX).text
    assert len(shown(text)) == 10
    assert "checked" not in re.sub(r'value="selected" checked', "", text)


def test_all_that_match_are_those_of_the_funnels_step(operator: Client, plan: Plan) -> None:
    text = operator.get(f"/plans/{plan.pk}/tasks/rollback/?scope=all&at=switch_route").text
    assert "1 task selected" in text


def test_the_timeline_is_another_face_of_the_same_page(operator: Client, plan: Plan) -> None:
    text = operator.get(f"/plans/{plan.pk}/?view=timeline&state=FAILED", headers=HTMX).text
    assert shown(text) == ["tenant-0002"]
    # Rows that come live must not be put in here as rows of the list.
    assert "data-filtered" in text
    assert '<tr id="task-' not in text


def test_a_wall_that_is_fetched_again_comes_alone(operator: Client, plan: Plan) -> None:
    headers = {"HX-Request": "true", "HX-Target": "wall"}
    text = operator.get(f"/plans/{plan.pk}/?state=FAILED", headers=headers).text
    assert text.count('<a class="cell') == 6
    assert "task-table" not in text
