"""How many statements the database gets at a stage's end: few, whatever the plan's size."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans.engine import clock
from plans.engine.task_run import TaskRun
from plans.errors import StageError
from plans.message import Message
from plans.models import Task
from plans.stages.base import Done, Wait
from tests.plans.rows import make_rows
from tests.support.driving import WORKER

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 6
BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def statements(queries: CaptureQueriesContext) -> list[str]:
    found = [q["sql"] for q in queries.captured_queries if not q["sql"].startswith(BRACKETS)]
    assert len(found) >= 3, "not all statements are seen"
    return found


@pytest.fixture(params=[5, 500])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TaskRun:
    """A task of a small and of a large plan, with a worker at its second stage."""
    # It is asked for the time once a minute: now, and not while statements are counted.
    monkeypatch.setattr(clock, "_told", None)
    make_rows("RUNNING", *["RUNNING"] * request.param, admitted=True)
    taken = TaskRun.take(Task.objects.order_by("pk")[request.param // 2].pk, WORKER)
    assert taken
    return taken


def test_a_finished_stage_takes_at_most_six(run: TaskRun) -> None:
    with CaptureQueriesContext(connection) as queries:
        run.advance(Done(data={"version": 20}, result={"version": 20}), "DELIVERED")
    assert len(statements(queries)) <= MOST, statements(queries)
    assert Task.objects.get(pk=run.task.pk).cursor == 2


def test_the_last_stage_takes_at_most_six(run: TaskRun) -> None:
    while run.task.cursor < len(run.task.pipeline) - 1:
        run.advance(Done(), "ON")
    with CaptureQueriesContext(connection) as queries:
        run.advance(Done(), "UPDATED")
    assert len(statements(queries)) <= MOST, statements(queries)
    assert Task.objects.get(pk=run.task.pk).state == "COMPLETED"


def test_a_wait_takes_at_most_six(run: TaskRun) -> None:
    with CaptureQueriesContext(connection) as queries:
        run.park(Wait(5, Message("for a while")))
    assert len(statements(queries)) <= MOST, statements(queries)


def test_a_failed_stage_takes_at_most_six(run: TaskRun) -> None:
    with CaptureQueriesContext(connection) as queries:
        run.fail(StageError("It is %(how)s.", how="broken"), None)
    assert len(statements(queries)) <= MOST, statements(queries)
    assert Task.objects.get(pk=run.task.pk).state == "FAILED"
