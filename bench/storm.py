"""Many changes a second, without an engine: `python -m bench.storm PLAN CHANGES PER_SECOND`.

Starts tasks of the plan, then completes them, 20 in a transaction. Prints JSON: for each
transaction the seq that it left, its moment, and the tenants that are green since.
"""

import json
import sys
import time
from typing import Any

import django

django.setup()

from django.db.models.functions import Now  # noqa: E402
from django.utils import timezone  # noqa: E402

from plans import events, operations  # noqa: E402
from plans.actor import SYSTEM  # noqa: E402
from plans.models import EventKind, Journal, Plan, PlanState, Task, TaskState, Tenant  # noqa: E402
from plans.stores import doorbell  # noqa: E402

BATCH = 20
FLUSH_SECONDS = 5.0


def storm(plan: Plan, changes: int, per_second: float) -> list[dict[str, Any]]:
    """Change `changes` tasks, as evenly as the database lets; what was done when."""
    done = []
    began = time.monotonic()
    for number in range(changes // BATCH):
        # So much was to be done by now: who is late does not wait.
        time.sleep(max(0.0, began + number * BATCH / per_second - time.monotonic()))
        is_end = number % 2 == 1
        before, after = (TaskState.RUNNING, "complete") if is_end else (TaskState.PENDING, "start")
        kind = EventKind.TASK_COMPLETED if is_end else EventKind.TASK_STARTED
        tasks = list(Task.objects.filter(plan=plan, state=before).order_by("position")[:BATCH])
        ids = [task.tenant_id for task in tasks] if is_end else []
        with events.record(plan, SYSTEM) as record:
            times = {"finished_at": timezone.now()} if is_end else {"rung_at": Now()}
            record.apply_to_all(tasks, after, kind, admitted=not is_end, **times)
            Tenant.objects.filter(pk__in=ids).update(environment="green")
        at = time.time() * 1000
        seq = Journal.objects.values_list("last_seq", flat=True).get(pk=plan.journal_id)
        done.append({"seq": seq, "at": at, "green": ids})
    doorbell.flush(FLUSH_SECONDS)
    return done


def rate(done: list[dict[str, Any]]) -> float:
    """Changes a second, by what `storm` says was done."""
    took = float(done[-1]["at"]) - float(done[0]["at"])
    return BATCH * (len(done) - 1) / took * 1000


if __name__ == "__main__":
    plan = Plan.objects.get(pk=int(sys.argv[1]))
    if plan.state == PlanState.CREATED:
        operations.start_plan(plan.pk, SYSTEM)
    began = time.monotonic()
    done = storm(plan, int(sys.argv[2]), float(sys.argv[3]))
    print(json.dumps({"seconds": time.monotonic() - began, "done": done}))
