"""The overview: counts that are filters, what needs somebody, what is under way."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from plans import operations
from plans.engine import leadership, queue
from plans.models import Plan, PlanState, Task, TaskState, Tenant
from plans.queries import wall
from plans.rendering import alarms
from tests.plans.switching import STAGES
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, MakePlan, add_tenants, stand

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Redis said to an earlier test is forgotten."""
    monkeypatch.setattr(alarms, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(alarms, "_look", alarms._Look())


def needs(client: Client) -> str:
    text = client.get("/").text
    return text[text.index('id="overview-needs"') : text.index('id="overview-plans"')]


def figures(text: str) -> dict[str, int]:
    nav = text[text.index('id="overview-counts"') : text.index("</nav>", text.index("overview-c"))]
    found = re.findall(r'href="([^"]*)"[^>]*><b class="num">([\d,]+)</b>', nav)
    return {address: int(count.replace(",", "")) for address, count in found}


@pytest.fixture
def fleet(make_plan: MakePlan) -> Plan:
    """Five tenants of a plan, two of which failed; three others are green."""
    plan = make_plan(5)
    stand(Task.objects.filter(plan=plan)[:2], TaskState.FAILED, **FAILED_FIELDS)
    add_tenants(8)
    Tenant.objects.filter(pk__gt="tenant-0005").update(environment="green")
    return plan


@pytest.mark.parametrize(
    ("query", "cells"),
    [
        ("", 8),
        ("environment=green", 3),
        ("environment=red", 8),
        ("state=FAILED", 2),
        ("state=failed", 2),
        ("state=nonsense", 8),
        ("environment=green&state=FAILED", 0),
        ("q=0003", 1),
        ("q=CUSTOMER", 8),
        ("q=%00", 8),
        ("q=customer&environment=blue&state=pending", 3),
    ],
)
def test_the_address_filters_the_wall(
    query: str, cells: int, operator: Client, fleet: Plan
) -> None:
    text = operator.get(f"/?{query}").text
    assert text.count("id=t-") == cells


def test_counts_are_links_that_keep_the_rest_of_the_filter(operator: Client, fleet: Plan) -> None:
    shown = figures(operator.get("/").text)
    assert shown["/?environment=blue"] == 5
    assert shown["/?environment=green"] == 3
    assert shown["/?state=FAILED"] == 2
    shown = figures(operator.get("/?environment=green").text)
    assert shown["/?environment=green&amp;state=FAILED"] == 0
    assert shown["/?environment=blue"] == 5
    assert shown["/"] == 3, "the chosen one lets the others in again"


def test_a_filtered_page_says_how_many_it_shows_and_follows_by_itself(
    operator: Client, fleet: Plan
) -> None:
    text = operator.get("/?state=FAILED&q=0001").text
    assert "of 8 shown" in text
    assert text.count("data-filtered") == 2
    assert 'name="state" value="FAILED"' in text
    assert "data-filtered" not in operator.get("/").text


def test_failed_tasks_are_listed_by_plan(operator: Client, fleet: Plan) -> None:
    text = needs(operator)
    assert "2 failed" in text
    assert f"/plans/{fleet.pk}/?state=FAILED" in text


def test_a_plan_that_ended_with_tenants_not_begun_stands_in_needs_you(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3)
    tasks = list(Task.objects.filter(plan=plan))
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.FAILED)
    # What had failed was continued from its checkpoint since.
    stand(tasks[:1], TaskState.COMPLETED)
    text = needs(operator)
    assert f'id="halted-{plan.pk}"' in text
    assert "2 tenants were not begun: retry the plan to go on with them" in text
    stand(tasks[1:], TaskState.CANCELLED)
    assert f'id="halted-{plan.pk}"' not in needs(operator)


@pytest.mark.parametrize("stages", [STAGES, ("read_tenant", "switch_route", "soak")])
def test_both_walls_show_the_same_task_the_same(
    stages: tuple[str, ...], make_plan: MakePlan
) -> None:
    plan = make_plan(1)
    pipeline = [{"name": name, "params": {}} for name in stages]
    switch = stages.index("switch_route")
    for reached in range(len(stages) + 1):
        Task.objects.update(state=TaskState.PAUSED, reached=reached, pipeline=pipeline)
        (of_fleet,), (of_plan,) = wall.fleet_rows(), wall.plan_rows(plan)
        assert of_fleet == of_plan
        assert of_fleet.between == (reached > switch)


def test_an_installation_without_a_conductor_says_so(operator: Client) -> None:
    assert "No conductor leads" in needs(operator)
    leadership.lead("conductor", "here")
    assert "No conductor leads" not in needs(operator)
    leadership.resign("conductor", "here")
    text = needs(operator)
    assert "No conductor leads" in text
    assert "Last heard" in text


def test_tasks_under_way_without_a_worker_are_said(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    assert "No worker is alive" not in needs(operator)
    operations.start_plan(plan.pk, OPERATOR)
    assert "No worker is alive" in needs(operator)


def test_a_worker_that_is_silent_is_named(operator: Client) -> None:
    with queue.connect() as redis:
        # However long the page takes, the one is fresh and the other is not.
        now = timezone.now()
        for name, at in (
            ("fresh", now + timedelta(minutes=5)),
            ("mute", now - timedelta(seconds=9)),
        ):
            key = f"rq:worker:{name}"
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            fields = {"name": name, "hostname": "host", "pid": 1, "state": "busy", "threads": 16}
            fields |= {"busy": 3, "successful_job_count": 1, "failed_job_count": 0}
            fields |= {"total_working_time": 7.5}
            redis.hset(key, mapping={**fields, "birth": stamp, "last_heartbeat": stamp})
            redis.sadd(WORKERS_BY_QUEUE_KEY % queue.QUEUE_NAME, key)
    text = needs(operator)
    assert "Worker mute on host is silent; it had 3 tasks." in text
    assert "fresh" not in text


def test_what_runs_says_its_pace_and_how_long_it_will_take(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(40)
    operations.start_plan(plan.pk, OPERATOR)
    now = timezone.now()
    Plan.objects.filter(pk=plan.pk).update(started_at=now - timedelta(minutes=1))
    plan.waves.update(started_at=now - timedelta(minutes=1))
    for number, task in enumerate(Task.objects.filter(plan=plan)[:20]):
        at = now - timedelta(seconds=60 - 3 * number)
        stand([task], TaskState.COMPLETED, finished_at=at, admitted=False)
    text = operator.get("/").text
    under_way = text[text.index('id="overview-plans"') :]
    assert re.search(r"\d+ a minute", under_way)
    assert re.search(r"<b>(at most )?[\d–]+ (s|min) left</b>", under_way)
