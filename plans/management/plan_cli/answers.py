"""Plans and tasks as JSON, named as in the REST API, and as lines for people."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from plans.message import Message
from plans.models import Plan, Task, TaskState
from plans.queries import counts, eligible
from plans.queries.counts import Counts
from plans.queries.plan_page import why_still
from plans.queries.tally import Tally

FAILURES_SHOWN = 10
FINISHED = (
    TaskState.COMPLETED,
    TaskState.FAILED,
    TaskState.CANCELLED,
    TaskState.ROLLED_BACK,
    TaskState.ROLLBACK_FAILED,
)


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan with its waves and the number of tasks in each state."""
    by_state = counts.of_plans([plan])[plan.pk]
    by_wave = counts.of_waves(plan)
    halt = Message.from_json(plan.halt)
    return {
        "planId": plan.pk,
        "name": plan.name,
        "state": plan.state,
        "executorType": plan.executor_type,
        "target": plan.target,
        "taskCount": sum(by_state.values()),
        "counts": by_state,
        "maxConcurrency": plan.max_concurrency,
        "failurePolicy": plan.failure_policy,
        "failureBudget": plan.failure_budget,
        "halt": halt.english if halt else None,
        "createdBy": plan.created_by,
        "createdAt": _time(plan.created_at),
        "startedBy": plan.started_by or None,
        "startedAt": _time(plan.started_at),
        "finishedAt": _time(plan.finished_at),
        "revision": plan.revision,
        "waves": [
            {
                "index": wave.index,
                "mode": wave.mode,
                "size": wave.size,
                "counts": by_wave.get(wave.pk) or counts.none(),
                "soakSeconds": wave.soak_seconds,
                "approval": wave.approval,
                "gateClosedAt": _time(wave.gate_closed_at),
                "gateOpenedAt": _time(wave.gate_opened_at),
            }
            for wave in plan.waves.order_by("index")
        ],
    }


def task_json(task: Task) -> dict[str, Any]:
    """A task with its failure and its checkpoint."""
    failure = task.failure
    return {
        "taskId": task.pk,
        "planId": task.plan_id,
        "tenantId": task.tenant_id,
        "state": task.state,
        "step": task.step or None,
        "finishedStages": task.cursor,
        "totalStages": len(task.pipeline),
        "failureInfo": {name: failure[name] for name in failure if name != "message"}
        if failure
        else None,
        "checkpoint": task.checkpoint,
        "retries": task.retries,
        "startedAt": _time(task.started_at),
        "finishedAt": _time(task.finished_at),
        "revision": task.revision,
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan for people."""
    by_wave = counts.of_waves(plan)
    yield f"{title(plan)}: {plan.state}"
    yield _("%(type)s to %(target)s, %(concurrency)s at once, on failure %(policy)s") % {
        "type": plan.executor_type,
        "target": plan.target,
        "concurrency": plan.max_concurrency,
        "policy": plan.failure_policy,
    }
    yield _("created by %(who)s, %(when)s") % {
        "who": plan.created_by,
        "when": _time(plan.created_at),
    }
    for hold in why_still(plan, Tally.of(plan)):
        yield f"{hold.text} {_time(hold.until) or ''}".rstrip()
    for wave in plan.waves.order_by("index"):
        of_wave = by_wave.get(wave.pk) or counts.none()
        yield f"  {_('wave')} {wave.index + 1}, {wave.mode}: {in_words(of_wave)}"
    yield from failure_lines(plan)


def task_lines(task: Task) -> Iterator[str]:
    """A task for people."""
    yield f"{_('Task')} {task.pk}, {_('tenant')} {task.tenant_id}: {task.state}"
    yield _("%(done)s of %(total)s stages finished, last at %(stage)s") % {
        "done": task.cursor,
        "total": len(task.pipeline),
        "stage": task.step or "–",
    }
    if task.failure:
        yield _failure(task)


def failure_lines(plan: Plan) -> Iterator[str]:
    """The latest failures of a plan, with the ids by which to act on them."""
    failed = list(eligible.failed(plan)[: FAILURES_SHOWN + 1])
    for task in failed[:FAILURES_SHOWN]:
        yield f"  {_('task')} {task.pk}, {task.tenant_id}: {task.state}, {_failure(task)}"
    if len(failed) > FAILURES_SHOWN:
        yield _("  and more: see the dashboard")


def title(plan: Plan) -> str:
    """A plan's name and id."""
    return _("Plan %(id)s “%(name)s”") % {"id": plan.pk, "name": plan.name}


def in_words(by_state: Counts) -> str:
    """The states with tasks, as `12 completed, 1 failed`."""
    held = [f"{n} {TaskState(state).label}" for state, n in by_state.items() if n]
    return ", ".join(held) or "–"


def finished(by_state: Counts) -> int:
    """How many tasks have ended."""
    return sum(by_state[state] for state in FINISHED)


def _failure(task: Task) -> str:
    failure = task.failure or {}
    text = Message.from_json(failure.get("message")) or failure.get("reason", "")
    return f"{failure.get('errorCode', '–')} ({failure.get('stage', '–')}): {text}"


def _time(when: datetime | None) -> str | None:
    return when.isoformat(timespec="seconds") if when else None
