"""What the measurements do inside an installation: `python -m bench.drive VERB …`, JSON out."""

import json
import sys
import time
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from plans import operations  # noqa: E402
from plans.actor import SYSTEM  # noqa: E402
from plans.engine import queue  # noqa: E402
from plans.models import (  # noqa: E402
    Event,
    EventKind,
    Plan,
    PlanState,
    Task,
    TaskState,
    Tenant,
)
from plans.validation import PlanRequest, TenantRequest  # noqa: E402

POLL_SECONDS = 0.05


def workers(count: str) -> dict[str, Any]:
    """Wait until `count` workers have reported."""
    while len(queue.workers()) < int(count):
        time.sleep(POLL_SECONDS)
    return {}


def tenants(count: str, port: str) -> dict[str, Any]:
    """Fill the registry as `sync_tenants` would."""
    now = timezone.now()
    Tenant.objects.bulk_create(
        [
            Tenant(
                tenant_id=f"t{n:05}",
                name=f"Tenant {n}",
                environment="blue",
                config_version=19,
                endpoints=[f"http://127.0.0.1:{port}/i/t{n:05}/1"],
                synced_at=now,
            )
            for n in range(int(count))
        ],
        batch_size=100,
        ignore_conflicts=True,
    )
    return {}


def create(count: str, concurrency: str, executor_type: str, parameters: str) -> dict[str, Any]:
    """Create a plan; how long validation and creation took."""
    request = PlanRequest(
        name="Bench",
        tenants=tuple(TenantRequest(f"t{n:05}") for n in range(int(count))),
        executor_type=executor_type,
        target="green",
        max_concurrency=int(concurrency),
        parameters=json.loads(parameters),
    )
    began = time.monotonic()
    plan = operations.create_plan(request, SYSTEM)
    return {"plan": plan.pk, "seconds": time.monotonic() - began}


def start(plan_id: str) -> dict[str, Any]:
    """Start a plan."""
    operations.start_plan(int(plan_id), SYSTEM)
    return {}


def completed(plan_id: str, count: str) -> dict[str, Any]:
    """Wait until so many tasks of a plan are completed."""
    tasks = Task.objects.filter(plan=plan_id, state=TaskState.COMPLETED)
    while tasks.count() < int(count):
        time.sleep(POLL_SECONDS)
    return {}


def takeovers(plan_id: str) -> dict[str, Any]:
    """When tasks were taken over, in seconds since 1970, and the process that had held each."""
    found = Event.objects.filter(plan=plan_id, kind=EventKind.TASK_TAKEN_OVER).order_by("seq")
    return {
        "takeovers": [
            {"at": event.at.timestamp(), "pid": int(event.data["from"].split(":")[1])}
            for event in found
        ]
    }


def run(plan_id: str) -> dict[str, Any]:
    """Start a plan and wait for its end; seconds between, by the monotonic clock."""
    began = time.monotonic()
    start(plan_id)
    return {**finish(plan_id), "seconds": time.monotonic() - began}


def finish(plan_id: str) -> dict[str, Any]:
    """Wait for the end of a plan; the state it ended in."""
    while True:
        state = Plan.objects.values_list("state", flat=True).get(pk=plan_id)
        if state not in (PlanState.CREATED, PlanState.RUNNING):
            break
        time.sleep(POLL_SECONDS)
    connection.close()
    return {"state": state}


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    verbs = (workers, tenants, create, start, completed, takeovers, run, finish)
    chosen: Any = {each.__name__: each for each in verbs}[verb]
    print(json.dumps(chosen(*words)))
