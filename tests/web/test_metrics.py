"""What Prometheus reads: true figures after real work, for whoever may view, at a steady price."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from plans import conf, events, metrics, operations
from plans.actor import SYSTEM
from plans.engine import leadership, queue
from plans.engine.task_run import TaskRun
from plans.models import ApiToken, Event, EventKind, Journal, Leadership, Plan, Task
from plans.queries import totals
from plans.stages.base import RetryPolicy, Stage
from tests.plans.rows import make_rows
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

Scrape = Callable[[], dict[str, float]]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web process that has just been started."""
    start_again(monkeypatch)


def start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    registry.register(metrics.Metrics())
    monkeypatch.setattr(metrics, "_registry", registry)


@pytest.fixture
def prometheus() -> Client:
    """Sends the token of a viewer."""
    user = User.objects.create_user("prometheus")
    user.groups.add(Group.objects.get(name="viewer"))
    return with_token(ApiToken.issue(user))


def with_token(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


@pytest.fixture
def scrape(prometheus: Client) -> Scrape:
    """Reads all samples, by name and labels as they are written."""

    def read() -> dict[str, float]:
        answer = prometheus.get("/metrics")
        assert answer.status_code == 200
        return {
            sample.name
            + "{"
            + ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            + "}": sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return read


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "ACK_POLL_SECONDS", 0.02)
    monkeypatch.setattr(Stage, "retry", RetryPolicy(first_seconds=0.01, max_seconds=0.02))


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("has_looked_before", [True, False])
def test_a_plan_with_a_failure_a_retry_and_a_rollback_is_counted(
    sandbox: Sandbox, scrape: Scrape, has_looked_before: bool
) -> None:
    def look() -> None:
        if has_looked_before:
            scrape()

    look()
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=503)
    plan = make_plan([f"tenant-00{n}" for n in (1, 2, 3)], failure_policy="continue")
    look()
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    look()
    if has_looked_before:
        assert scrape()['bluegreen_tasks{state="FAILED"}'] == 1
        assert scrape()['bluegreen_plans{state="FAILED"}'] == 1
    sandbox.clear_faults()
    operations.retry_task(Task.objects.get(tenant="tenant-002").pk, OPERATOR)
    work_off()
    look()
    operations.roll_back_task(Task.objects.get(tenant="tenant-003").pk, OPERATOR)
    work_off()

    seen = scrape()
    assert seen['bluegreen_plans{state="COMPLETED"}'] == 1
    assert seen['bluegreen_tasks{state="COMPLETED"}'] == 2
    assert seen['bluegreen_tasks{state="ROLLED_BACK"}'] == 1
    assert seen['bluegreen_tasks{state="FAILED"}'] == 0
    assert seen["bluegreen_tasks_waiting_for_slot{}"] == 0
    failed = 'code="GATEWAY_UNAVAILABLE",direction="forward",stage="switch_route"'
    assert seen[f"bluegreen_stage_failures_total{{{failed}}}"] == conf.STAGE_TRIES
    assert seen[f"bluegreen_stage_retries_total{{{failed}}}"] == conf.STAGE_TRIES - 1
    assert seen["bluegreen_task_retries_total{}"] == 1
    assert seen["bluegreen_task_takeovers_total{}"] == 0
    for outcome, count in {"started": 1, "completed": 1, "failed": 0}.items():
        assert seen[f'bluegreen_task_rollbacks_total{{outcome="{outcome}"}}'] == count
    assert seen['bluegreen_acknowledgements_total{outcome="success"}'] == 4
    took = 'direction="forward",outcome="completed",stage="switch_route"'
    assert seen[f"bluegreen_stage_duration_seconds_count{{{took}}}"] == 3
    assert 0 < seen[f"bluegreen_stage_duration_seconds_sum{{{took}}}"] < 60
    took = took.replace("completed", "failed")
    assert seen[f"bluegreen_stage_duration_seconds_count{{{took}}}"] == conf.STAGE_TRIES
    events_seen = sum(v for name, v in seen.items() if name.startswith("bluegreen_events_total"))
    assert events_seen == Event.objects.count()


def note_stage_end(code: str = "", seconds: float = 1.0) -> None:
    """As a worker would, for a new plan."""
    data = {"stage": "soak", "direction": "forward", "seconds": seconds}
    kind = EventKind.STAGE_FAILED if code else EventKind.STAGE_COMPLETED
    failure = {"failure": {"errorCode": code}} if code else {}
    with events.record(make_rows("RUNNING")[0], SYSTEM) as record:
        record.note(kind, data=data | failure)


def test_durations_fall_into_the_buckets_that_hold_them(scrape: Scrape) -> None:
    for seconds in (0.05, 0.051, 7.0, 7200.0):
        note_stage_end(seconds=seconds)
    seen = scrape()
    name, labels = "bluegreen_stage_duration_seconds", 'outcome="completed",stage="soak"'
    buckets = {
        le: seen[f'{name}_bucket{{direction="forward",le="{le}",{labels}}}']
        for le in ("0.05", "0.1", "5.0", "10.0", "1800.0", "+Inf")
    }
    assert list(buckets.values()) == [1, 2, 2, 3, 3, 4]
    assert seen[f'{name}_sum{{direction="forward",{labels}}}'] == pytest.approx(7207.101)


def test_what_is_in_flight_is_told_from_what_waits_for_a_slot(scrape: Scrape) -> None:
    now = timezone.now()
    plan, tasks = make_rows("RUNNING", *["RUNNING"] * 4, *["PENDING"] * 2, step="deliver_config")
    holdings = ({"lease_owner": "w"}, {"wake_at": now}, {"rung_at": now})
    for task, fields in zip(tasks, holdings, strict=False):
        Task.objects.filter(pk=task.pk).update(admitted=True, **fields)
    seen = scrape()
    for holding in ("leased", "parked", "called"):
        labels = f'holding="{holding}",stage="deliver_config"'
        assert seen[f"bluegreen_tasks_in_flight{{{labels}}}"] == 1
    assert seen["bluegreen_tasks_waiting_for_slot{}"] == 3
    assert seen["bluegreen_acknowledgement_waits{}"] == 3
    Plan.objects.filter(pk=plan.pk).update(halt={"template": "x", "values": {}})
    assert scrape()["bluegreen_tasks_waiting_for_slot{}"] == 1


def test_a_takeover_is_counted(scrape: Scrape) -> None:
    _plan, (task,) = make_rows(
        "RUNNING",
        "RUNNING",
        admitted=True,
        lease_owner="a dead worker",
        lease_expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert TaskRun.take(task.pk, WORKER)
    assert scrape()["bluegreen_task_takeovers_total{}"] == 1


def test_the_leaders_age_and_the_queue_are_read_now(scrape: Scrape) -> None:
    leadership.lead("conductor", "somebody")
    Leadership.objects.update(seen_at=timezone.now() - timedelta(seconds=101))
    queue.ring_many([1, 2])
    seen = scrape()
    assert 100 <= seen['bluegreen_leader_age_seconds{role="conductor"}'] < 160
    assert seen["bluegreen_queue_depth{}"] == 2
    assert seen["bluegreen_redis_up{}"] == 1
    assert seen["bluegreen_workers{}"] == seen["bluegreen_worker_threads_busy{}"] == 0


def test_without_redis_the_rest_is_still_told(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        queue, "impatient", lambda seconds: Redis(port=9, retry=Retry(NoBackoff(), 0))
    )
    make_rows("RUNNING", "FAILED")
    seen = scrape()
    assert seen["bluegreen_redis_up{}"] == 0
    assert "bluegreen_queue_depth{}" not in seen
    assert seen['bluegreen_tasks{state="FAILED"}'] == 1


def test_every_process_says_the_same_also_one_that_was_just_started(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "MOVED_MAX", 3)
    for seconds in (0.1, 1.0, 10.0):
        note_stage_end(seconds=seconds)
        before = scrape()
    start_again(monkeypatch)
    assert scrape() == before
    for _more_than_one_statement_names in range(4):
        note_stage_end()
    before = scrape()
    start_again(monkeypatch)
    assert scrape() == before
    assert before['bluegreen_events_total{kind="stage.completed"}'] == 7


def test_a_database_that_was_brought_back_is_counted_anew(scrape: Scrape) -> None:
    note_stage_end()
    note_stage_end()
    assert scrape()['bluegreen_events_total{kind="stage.completed"}'] == 2
    Journal.objects.update(last_seq=0)
    assert scrape()['bluegreen_events_total{kind="stage.completed"}'] == 2


def test_hostile_labels_are_escaped(scrape: Scrape, prometheus: Client) -> None:
    hostile = 'quote" back\\slash\nline } 🟦'
    note_stage_end(code=hostile)
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0", "\x01;;=,q"):
        answer = prometheus.get("/metrics", headers={"Accept": accept})
        parse = (
            open_metrics_families
            if "openmetrics" in answer.headers["Content-Type"]
            else text_string_to_metric_families
        )
        codes = {
            sample.labels["code"]
            for family in parse(answer.text)
            if family.name.startswith("bluegreen_stage_failures")
            for sample in family.samples
        }
        assert codes == {hostile}


def test_a_scrape_takes_as_many_statements_however_much_has_happened(
    scrape: Scrape, prometheus: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That the token was used is noted once a minute, by a statement more.
    monkeypatch.setattr(conf, "TOKEN_USE_SECONDS", 3600.0)

    def cost(plans: int) -> int:
        for _plan in range(plans):
            note_stage_end()
        with CaptureQueriesContext(connection) as queries:
            assert prometheus.get("/metrics").status_code == 200
        return len(queries)

    scrape()
    few, many, too_many, none = cost(1), cost(50), cost(totals.MOVED_MAX + 1), cost(0)
    assert few == many == too_many
    assert few <= 13
    assert none == few - 2
