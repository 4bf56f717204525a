"""Run one task: take its lease, call its stages, and say what follows from how each ends."""

import json
import logging
import threading
import time
from functools import partial
from typing import Any

from django.db import Error, close_old_connections
from django.utils.translation import gettext_noop

from plans import conf, effects, log_fields
from plans.clients.http import Call
from plans.engine import global_stop, scheduler
from plans.engine import lease as leases
from plans.engine.database_watch import AWAY
from plans.engine.reports import checkpoint_at
from plans.engine.task_run import TaskRun
from plans.errors import FailureKind, StageError, Superseded
from plans.redaction import said_by
from plans.stages.base import Done, Skipped, Stage, StageContext, Target, Wait
from plans.stages.registry import build
from plans.validation.text import problem_of

WAIT_MAX_SECONDS = 366 * 24 * 3600.0
"""A longer wait is a mistake of its stage; the database can hold no moment so far away."""

logger = logging.getLogger(__name__)

_runs: dict[int, TaskRun] = {}
_lock = threading.Lock()
_stopping = threading.Event()


def run(task_id: int, worker: str) -> None:
    """Run task `task_id` for `worker` until it ends, parks, obeys or is taken over.

    A duplicate or late call does nothing: only who takes the lease goes on.
    """
    task_run = TaskRun.take(task_id, worker)
    if task_run is None:
        return
    global_stop.was_not_active()
    with _lock:
        _runs[id(task_run)] = task_run
    try:
        with log_fields.bound(partial(_fields, task_run)):
            try:
                _run_stages(task_run)
            except AWAY:
                raise
            except Error as error:
                _refused(task_run, error)
    except Superseded as superseded:
        logger.warning("%s stops: %s", worker, superseded, extra=_fields(task_run))
        return
    except AWAY:
        # What is not committed is done again: stages are idempotent by shape.
        logger.exception(
            "The database failed task %s; it goes on from its checkpoint",
            task_id,
            extra=_fields(task_run),
        )
        close_old_connections()
        task_run.give_back()
        return
    finally:
        with _lock:
            _runs.pop(id(task_run), None)
        leases.forget(task_run.lease)
    if not task_run.task.admitted:
        scheduler.settle(task_run.task.plan_id)


def note_progress(worker: str) -> None:
    """Let long stages say that they are alive. Waits for their journals, so never with a lease."""
    with _lock:
        runs = list(_runs.values())
    for task_run in runs:
        if time.monotonic() - task_run.told_monotonic >= conf.PROGRESS_SECONDS:
            task_run.note_progress()


def stop_at_boundaries(worker: str) -> None:
    """Let running tasks go at their next stage boundary or poll; another worker goes on."""
    logger.info("%s gives its tasks back at their next stage boundary", worker)
    _stopping.set()


def _fields(task_run: TaskRun) -> dict[str, Any]:
    """What a log line of this run is about."""
    task = task_run.task
    return {
        "plan": task.plan_id,
        "task": task.pk,
        "tenant": task.tenant_id,
        "stage": task.step,
        "epoch": task_run.lease.epoch,
    }


def _run_stages(task_run: TaskRun) -> None:
    while task_run.is_going_on:
        if task_run.task.control:
            task_run.stop()
            continue
        if _stopping.is_set() or global_stop.is_noticed():
            task_run.give_back()
            return
        stage, ending = _call_stage(task_run)
        if isinstance(ending, Wait):
            if ending.seconds >= conf.WAIT_IN_THREAD_MAX_SECONDS:
                task_run.park(ending)
            else:
                task_run.memo = ending.memo
                time.sleep(ending.seconds)
                task_run.listen()
            continue
        if isinstance(ending, StageError):
            _fail(task_run, stage, ending)
            continue
        task_run.advance(ending, stage.checkpoint)


def _call_stage(task_run: TaskRun) -> tuple[Stage, Done | Skipped | Wait | StageError]:
    """Run or undo the stage at hand; whatever it raises is how it failed (S3.6)."""
    stage = Stage()
    try:
        stage = build(task_run.spec)
        act = stage.undo if task_run.task.is_rolling_back else stage.run
        with effects.collecting(task_run.ledger):
            return stage, _checked(act(_context(task_run)))
    except StageError as error:
        return stage, error
    except (Superseded, *AWAY):
        raise  # The database is away: nobody's fault, and nothing can be stored now.
    except (Exception, SystemExit) as error:
        logger.exception("Stage %s of task %s", task_run.task.step, task_run.task.pk)
        return stage, _unexpected(error)


def _checked(ending: Any) -> Done | Skipped | Wait:
    """What the stage returned, if it can be stored; else raises TypeError or ValueError."""
    if isinstance(ending, Wait):
        kept: Any = [ending.memo, ending.note.as_json(), ending.note.english]
        if not 0 <= ending.seconds <= WAIT_MAX_SECONDS:
            raise ValueError(f"A stage cannot wait for {ending.seconds} s.")
    elif isinstance(ending, Skipped):
        kept = [ending.why.as_json(), ending.why.english]
    elif isinstance(ending, Done):
        kept = [ending.data, ending.result, ending.previous]
        if not all(isinstance(each, dict) for each in (ending.data, ending.result)):
            raise TypeError("What a stage leaves is a JSON object.")
    else:
        raise TypeError(f"A stage returns Done, Skipped or Wait, not {type(ending).__name__}.")
    if problem := problem_of(kept):
        raise ValueError(problem.english)
    json.dumps(kept)
    return ending


def _fail(task_run: TaskRun, stage: Stage, error: StageError) -> None:
    task = task_run.task
    if error.retryable and task.tries < max(stage.retry.tries, error.tries):
        delay = stage.retry.delay_seconds(task.tries, error.retry_after_seconds)
        parked = delay >= conf.WAIT_IN_THREAD_MAX_SECONDS
        task_run.try_again(error, delay, parked=parked)
        if task_run.is_going_on:
            time.sleep(delay)
            task_run.begin_again()
        return
    _fail_for_good(task_run, error)


def _fail_for_good(task_run: TaskRun, error: StageError) -> None:
    task = task_run.task
    last = task.checkpoint["step"] if task.checkpoint else "NONE"
    task_run.fail(error, checkpoint_at(task, last, failed_step=task.step))


def _refused(task_run: TaskRun, error: Error) -> None:
    """The database does not take what a stage led to, nor would it the next time."""
    task_run.reload()
    task = task_run.task
    logger.exception("What stage %s of task %s led to cannot be stored", task.step, task.pk)
    _fail_for_good(task_run, _unexpected(error))


def _context(task_run: TaskRun) -> StageContext:
    task = task_run.task
    back = task.is_rolling_back
    state = (task.previous or {}) if back else task.target
    attempt = task.attempts[f"{task.step}-{task_run.direction.value}"]
    return StageContext(
        task_id=task.pk,
        tenant_id=task.tenant_id,
        target=Target(
            environment=state["environment"],
            version=None if back else state.get("version"),
            payload=state.get("payload"),
        ),
        previous=task.previous,
        data=dict(task.context),
        memo=dict(task_run.memo),
        call=Call(
            idempotency_key=f"{task.pk}-{task.step}-{task_run.direction.value}-{attempt}",
            fence=task_run.lease.epoch,
            before=task_run.lease.ensure,
        ),
        elapsed_seconds=task_run.elapsed_seconds,
        is_rollback=back,
    )


def _unexpected(error: BaseException) -> StageError:
    return StageError(
        gettext_noop("An unexpected error: %(error)s. It is logged with its traceback."),
        kind=FailureKind.SYSTEM,
        error=said_by(error),
    )
