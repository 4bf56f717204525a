"""Heartbeats and the conductor change many tasks at once, while operators lock the same ones."""

import random
import threading

import pytest
from django.db import connections
from django.db.models import F

from plans import operations
from plans.engine import lease as leases
from plans.engine.task_run import TaskRun
from plans.models import Control, Task
from tests.plans.rows import make_rows
from tests.support.driving import OPERATOR, WORKER

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = 60
ROUNDS = 25


def test_heartbeats_and_plan_wide_operations_never_deadlock() -> None:
    plan, tasks = make_rows("RUNNING", *["RUNNING"] * TASKS, admitted=True, cursor=1)
    # The rows lie in another order in the table than the plan has them.
    for task in random.Random(1).sample(tasks, TASKS):
        Task.objects.filter(pk=task.pk).update(revision=F("revision") + 1)
    runs = [run for task in tasks if (run := TaskRun.take(task.pk, WORKER))]
    assert len(runs) == TASKS
    ended = threading.Event()
    errors: list[Exception] = []

    def beat() -> None:
        try:
            while not ended.is_set():
                leases.extend_all(WORKER)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    hearts = [threading.Thread(target=beat) for _ in range(2)]
    for heart in hearts:
        heart.start()
    try:
        for _ in range(ROUNDS):
            operations.pause_plan(plan.pk, OPERATOR)
            operations.resume_plan(plan.pk, OPERATOR)
    finally:
        ended.set()
        for heart in hearts:
            heart.join()
        for run in runs:
            leases.forget(run.lease)
    assert errors == []
    assert not Task.objects.exclude(control=Control.NONE).exists()
