"""A plan's event log: filtered on a page, and downloaded whole."""

import csv
import io
import json

import pytest
from django.test import Client

from plans import operations
from plans.models import Event, Plan
from plans.queries import event_log
from tests.support.driving import OPERATOR
from tests.web.conftest import MakePlan

# The client of these tests reads at once what daphne reads piece by piece.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


@pytest.fixture
def plan(make_plan: MakePlan) -> Plan:
    plan = make_plan(3, waves=[{"size": 1}, {"rest": True}])
    operations.start_plan(plan.pk, OPERATOR, reason="=1+1")
    operations.pause_plan(plan.pk, OPERATOR, reason="why, and “how”\nin two lines")
    return Plan.objects.select_related("journal").get(pk=plan.pk)


def body(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return b"".join(answer).decode()


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=decisions", {"plan.created", "plan.started", "plan.paused", "task.paused"}),
        ("kind=plan", {"plan.created", "plan.started", "plan.paused", "wave.started"}),
        ("kind=plan.paused", {"plan.paused"}),
        ("kind=failures", set()),
        ("tenant=0001&kind=task.started", {"task.started"}),
        ("who=nobody", set()),
    ],
)
def test_the_address_filters_page_and_download(
    query: str, kinds: set[str], viewer: Client, plan: Plan
) -> None:
    rows = json.loads(body(viewer, f"/plans/{plan.pk}/events.json?{query}"))
    assert {row["kind"] for row in rows} == kinds
    text = viewer.get(f"/plans/{plan.pk}/events/?{query}").text
    assert text.count('<li id="event-') == len(rows)
    # A page that leaves something out is not live, and says of when it is.
    assert "data-live" not in text
    assert "as of" in text


def test_nonsense_in_the_address_filters_nothing(viewer: Client, plan: Plan) -> None:
    text = viewer.get(f"/plans/{plan.pk}/events/?kind=nonsense&tenant=%00&page=x").text
    assert text.count('<li id="event-') == Event.objects.filter(plan=plan).count()
    assert 'data-live="/ws/plans/' in text


def test_the_whole_log_is_downloaded_in_order(
    viewer: Client, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "CHUNK_ROWS", 3)
    stored = list(Event.objects.filter(plan=plan).order_by("seq"))
    assert len(stored) > 6
    rows = json.loads(body(viewer, f"/plans/{plan.pk}/events.json"))
    assert [row["hash"] for row in rows] == [event.hash for event in stored]
    assert rows[-1]["data"] == stored[-1].data
    lines = list(csv.DictReader(io.StringIO(body(viewer, f"/plans/{plan.pk}/events.csv"))))
    assert [int(line["seq"]) for line in lines] == [event.seq for event in stored]
    reasons = {line["reason"] for line in lines}
    assert "why, and “how”\nin two lines" in reasons


def test_no_cell_of_a_table_can_be_a_formula(viewer: Client, plan: Plan) -> None:
    lines = csv.DictReader(io.StringIO(body(viewer, f"/plans/{plan.pk}/events.csv")))
    assert "'=1+1" in {line["reason"] for line in lines}


def test_a_log_without_events_is_an_empty_list(viewer: Client, plan: Plan) -> None:
    assert json.loads(body(viewer, f"/plans/{plan.pk}/events.json?who=nobody")) == []
    assert body(viewer, f"/plans/{plan.pk}/events.csv?who=nobody").startswith("seq,at,kind")


def test_the_download_leads_nowhere_without_a_plan(viewer: Client) -> None:
    assert viewer.get("/plans/4711/events.json").status_code == 404
