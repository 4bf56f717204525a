"""Commands, ids and filters that make no sense: each gets a clear 4xx, and nothing happens."""

from typing import Any

import pytest

from plans import conf
from plans.models import Plan, Task
from tests.api.checks import fields, refused
from tests.api.conftest import Caller
from tests.support.driving import make_plan
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _tenants(sandbox: Sandbox) -> None:
    """Plans can be made."""


@pytest.mark.parametrize(
    "body",
    [
        {"reason": 1},
        {"reason": None},
        {"reason": "r" * (conf.REASON_MAX_CHARS + 1)},
        {"seen": True},
        {"seen": 1.5},
        {"seen": []},
        {"fromCheckpoint": True},
        {"resaon": "x"},
    ],
)
def test_what_is_wrong_with_a_command_is_said(body: dict[str, Any], operator: Caller) -> None:
    plan = make_plan(["tenant-001"])
    refused(operator.post(f"/plans/{plan.pk}/start", body), 400, "MALFORMED")
    assert Plan.objects.get().state == "CREATED"


@pytest.mark.parametrize("value", [1, "true", None, []])
def test_from_checkpoint_is_yes_or_no(value: object, operator: Caller) -> None:
    refused(operator.post("/tasks/1/retry", {"fromCheckpoint": value}), 400, "MALFORMED")


@pytest.mark.parametrize(
    "task_ids", [None, 1, "1", ["1"], [True], [1.5], [0], [-1], [2**63 - 1, None], {}]
)
def test_a_selection_is_a_list_of_ids(task_ids: object, operator: Caller) -> None:
    plan = make_plan(["tenant-001"])
    answer = operator.post(f"/plans/{plan.pk}/tasks/cancel", {"taskIds": task_ids})
    refused(answer, 400, "MALFORMED")
    assert Task.objects.get().state == "PENDING"


@pytest.mark.parametrize(
    "given", ["abc", "0", "-1", "1.5", "1e3", "999999", str(2**63), "9" * 5000, "%00", "%F0%9F"]
)
def test_an_id_that_names_nothing_is_not_found(given: str, operator: Caller) -> None:
    for path in ("/plans/{}", "/plans/{}/events", "/tasks/{}"):
        error = refused(operator.get(path.format(given)), 404, "NOT_FOUND")
        assert len(error["message"]) < 200
    for path in ("/plans/{}/start", "/tasks/{}/retry"):
        refused(operator.post(path.format(given)), 404, "NOT_FOUND")
    refused(operator.post(f"/plans/{given}/tasks/pause", {"taskIds": [1]}), 404, "NOT_FOUND")


def test_a_verb_that_there_is_not_is_not_found(operator: Caller) -> None:
    plan = make_plan(["tenant-001"])
    refused(operator.post(f"/plans/{plan.pk}/tasks/start", {"taskIds": [1]}), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/plans?page=0", "page"),
        ("/plans?page=x", "page"),
        ("/plans?page=99999999999999999999", "page"),
        ("/plans?pageSize=0", "pageSize"),
        ("/plans?pageSize=501", "pageSize"),
        ("/plans?state=running", "state.0"),
        ("/plans?search=%00", "search"),
        ("/tasks?planId=x", "planId"),
        ("/tasks?planId=0", "planId"),
        ("/tasks?planId=9223372036854775808", "planId"),
        ("/tasks?tenantId=a%00", "tenantId"),
        ("/tasks?state=NO", "state.0"),
        ("/plans/1/events?after=-1", "after"),
        ("/plans/1/events?after=x", "after"),
        ("/plans/1/events?limit=0", "limit"),
        ("/plans/1/events?limit=501", "limit"),
        ("/tenants?environment=red", "environment"),
        ("/tenants?search=%00", "search"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(path: str, field: str, operator: Caller) -> None:
    assert field in fields(refused(operator.get(path), 400, "MALFORMED"))
