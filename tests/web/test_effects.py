"""The task's page: its outgoing calls, its configuration, what holds it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from plans import operations
from plans.effects import Ledger
from plans.models import StageRun, Task
from plans.queries.config_diff import config_diff
from plans.queries.effects import SHOWN_MAX, effects_of
from plans.queries.masking import without_secrets
from plans.queries.waiting import holds_of
from tests.plans.rows import PREVIOUS
from tests.plans.switching import QUICK, failed_at
from tests.support.driving import OPERATOR
from tests.support.sandbox import Sandbox
from tests.web.conftest import MakePlan

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = {"cache": "off", "db": "postgres://app:old@db/x", "password": "old", "same": {"a": 1}}
AFTER = {"cache": "on", "db": "postgres://app:new@db/x", "password": "new", "same": {"a": 1}}


def page_of(client: Client, task: Task) -> str:
    return client.get(f"/tasks/{task.pk}/").text


def test_the_page_lists_what_was_called_with_status_and_key(
    sandbox: Sandbox, viewer: Client
) -> None:
    # The page shows a hundred calls: few polls, also where the instances are late.
    seldom = {**QUICK, "deliver_config": {"retry": "fixed", "poll_seconds": 0.5}}
    task = failed_at(sandbox, "switch_route", parameters=seldom)
    text = page_of(viewer, task)
    ledger = text[text.index('id="task-effects"') :]
    assert f"<code>{task.pk}-switch_route-forward-1</code>" in ledger
    assert "GATEWAY_REJECTED" in ledger
    assert "WRITTEN 20" in ledger
    assert ledger.index("switch route") < ledger.index("read tenant"), "latest first"
    assert ", 1 failed" in ledger


def test_a_lost_worker_and_calls_that_are_not_kept_are_said(
    viewer: Client, make_plan: MakePlan
) -> None:
    task = make_plan(1).tasks.get()
    entry = {"service": "INSTANCE", "method": "GET", "address": "http://i/config"}
    ledger = Ledger({"calls": [entry] * 100, "count": 3000, "gaps": 1})
    StageRun.objects.create(
        task=task,
        stage="deliver_config",
        index=1,
        direction="forward",
        attempt=2,
        epoch=3,
        started_at=timezone.now(),
        effects=ledger.as_json(),
    )
    text = page_of(viewer, task)
    assert "“deliver configuration”, attempt 2, was taken over" in text
    assert "2,900 calls in between were counted and not kept." in text
    assert "3,000 calls" in text
    assert "not waited for any more" in text
    assert "its calls come with its end" in text


def test_of_many_calls_the_latest_are_shown() -> None:
    entries = [
        {"service": "S", "method": "GET", "address": str(number), "ms": 1.0} for number in range(90)
    ]
    runs = [StageRun(effects={"calls": entries, "count": 90}) for _ in range(2)]
    found = effects_of(runs)
    assert (len(found.shown), found.hidden, found.omitted) == (SHOWN_MAX, 80, 0)
    assert [call.address for call in found.shown[:2]] == ["89", "88"]


def test_the_difference_shows_lines_and_hides_secrets(viewer: Client, make_plan: MakePlan) -> None:
    task = make_plan(1).tasks.get()
    target = {"environment": "green", "version": 20, "payload": AFTER}
    Task.objects.update(previous={**PREVIOUS, "payload": BEFORE}, target=target)
    task = Task.objects.get()
    changed = [
        (line.kind, line.text.strip())
        for line in config_diff(task).lines
        if line.kind in ("added", "removed")
    ]
    assert ("removed", '"cache": "off",') in changed
    assert ("added", '"cache": "on",') in changed
    assert ("added", '"password": "••• (changed)",') in changed
    text = page_of(viewer, task)
    assert "app:" not in text
    assert '"old"' not in text
    assert "postgres://••• (changed)@db/x" in text


def test_a_task_that_keeps_its_configuration_says_so(viewer: Client, make_plan: MakePlan) -> None:
    task = make_plan(1).tasks.get()
    assert "the present one stays, under a new version" in page_of(viewer, task)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"apiKey": "x", "keyboard": "y"}, {"apiKey": "•••", "keyboard": "y"}),
        ({"db": {"password": ""}}, {"db": {"password": ""}}),
        ([{"Authorization": "Bearer x"}], [{"Authorization": "•••"}]),
        ("https://u:p@h/x", "https://•••@h/x"),
        (7, 7),
    ],
)
def test_secrets_are_dots(value: object, shown: object) -> None:
    assert without_secrets(value) == shown


def test_a_worker_that_is_silent_and_a_pause_are_named(make_plan: MakePlan) -> None:
    plan = make_plan(1)
    operations.start_plan(plan.pk, OPERATOR)
    task = plan.tasks.select_related("plan", "wave").get()
    task.lease_owner = "worker-1"
    task.leased_at = timezone.now()
    task.lease_expires_at = timezone.now() + timedelta(seconds=900)
    assert holds_of(task)[0].text == "Worker worker-1 runs it."
    task.lease_expires_at = timezone.now() - timedelta(seconds=9)
    assert "has not been heard of" in holds_of(task)[0].text
    operations.pause_task(task.pk, OPERATOR)
    (hold,) = holds_of(plan.tasks.select_related("plan", "wave").get())
    assert hold.text == "Paused by olga: it goes on when somebody resumes it."
    assert hold.since is not None
