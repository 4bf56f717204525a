"""`GET /api/tasks/{id}/effects`: every outgoing call of a task."""

from collections.abc import Callable

import pytest

from plans.models import Task
from tests.api.checks import done, refused
from tests.api.conftest import Caller
from tests.plans.switching import QUICK, failed_at
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

FEW_ROUNDS = {**QUICK, "deliver_config": {"retry": "fixed", "poll_seconds": 0.5}}
"""However late an instance is, the ledger keeps each call, and a page holds all."""


def test_a_viewer_reads_what_was_called_page_by_page(
    calling: Callable[[str], Caller], sandbox: Sandbox
) -> None:
    task = failed_at(sandbox, "switch_route", parameters=FEW_ROUNDS)
    caller = calling("viewer")
    body = done(caller.get(f"/tasks/{task.pk}/effects?pageSize=500"))
    assert body["total"] == body["made"] == len(body["items"]) >= 8
    assert body["takenOver"] == 0
    last = body["items"][-1]
    assert {**last, "at": "", "seconds": 0, "address": ""} == {
        "stage": "switch_route",
        "direction": "forward",
        "attempt": 1,
        "at": "",
        "service": "GATEWAY",
        "method": "PUT",
        "address": "",
        "status": 400,
        "outcome": None,
        "errorCode": "GATEWAY_REJECTED",
        "seconds": 0,
        "timesSent": 1,
        "idempotencyKey": f"{task.pk}-switch_route-forward-1",
        "fence": Task.objects.get().lease_epoch,
    }
    written = next(each for each in body["items"] if each["method"] == "HSET PUBLISH")
    assert (written["service"], written["outcome"]) == ("REDIS", "WRITTEN 20")
    second = done(caller.get(f"/tasks/{task.pk}/effects?page=2&pageSize=3"))
    assert second["items"] == body["items"][3:6]
    assert (second["total"], second["page"], second["pageSize"]) == (body["total"], 2, 3)


def test_a_task_that_is_not_there_has_called_nothing(calling: Callable[[str], Caller]) -> None:
    refused(calling("viewer").get("/tasks/77/effects"), 404, "NOT_FOUND")


def test_a_stranger_reads_no_calls(calling: Callable[[str], Caller], sandbox: Sandbox) -> None:
    task = failed_at(sandbox, "switch_route")
    refused(calling("stranger").get(f"/tasks/{task.pk}/effects"), 403, "FORBIDDEN")
