"""New rows that are stored together are what they would be if each were stored alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from plans.models import Direction, Event, StageRun, Task
from plans.stores import inserts, journey
from tests.plans.rows import make_rows

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 11, 22, 23, 59, 59, 999_999, UTC)
VALUES: list[Any] = [
    None,
    {},
    {"empty": [], "none": None, "yes": True, "tiny": 1e-7, "large": 2**53 + 1},
    {"words": "“quotes” 'and' \"such\" \\ / %s \u202eright to left 🦊"},
    {"deep": [{"er": [[[1, 2.5, "three"]]]}]},
]


def runs(task: Task) -> list[StageRun]:
    return [
        StageRun(
            task=task,
            stage="check_health",
            index=number,
            direction=Direction.FORWARD,
            attempt=number,
            epoch=2**40,
            result=value,
            started_at=MOMENT,
        )
        for number, value in enumerate(VALUES, start=1)
    ]


def store(rows: list[Any]) -> None:
    with transaction.atomic():
        inserts.give_keys(rows, journey.run(inserts.insert(rows)))


def test_rows_stored_together_are_read_as_they_were() -> None:
    _, [task] = make_rows("RUNNING", "RUNNING")
    new = runs(task)
    store(new)
    assert [run.pk for run in new] == sorted(run.pk for run in new)
    for run in new:
        read = StageRun.objects.get(pk=run.pk)
        assert (read.attempt, read.result) == (run.attempt, run.result)
        assert (read.started_at, read.finished_at, read.epoch) == (MOMENT, None, 2**40)


def test_each_row_is_given_its_own_key() -> None:
    _, tasks = make_rows("RUNNING", *["RUNNING"] * 40)
    new = [runs(task)[0] for task in reversed(tasks)]
    store(new)
    for run in new:
        assert StageRun.objects.get(pk=run.pk).task_id == run.task_id


def test_a_value_that_does_not_fit_is_refused_not_cut(plan_event: Event) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite keeps texts of any length")
    too_long = Event(**{**event_values(plan_event), "seq": 2, "tenant_id": "t" * 65})
    fits = Event(**{**event_values(plan_event), "seq": 3})
    with pytest.raises(DataError):
        store([too_long, fits])
    assert Event.objects.count() == 1


@pytest.fixture
def plan_event() -> Event:
    plan, _ = make_rows("RUNNING", "RUNNING")
    event = Event(journal_id=plan.journal_id, seq=1, plan=plan, kind="plan.started", at=MOMENT)
    store([event])
    return event


def event_values(event: Event) -> dict[str, Any]:
    return {
        field.attname: getattr(event, field.attname)
        for field in Event._meta.concrete_fields
        if not field.primary_key
    }
