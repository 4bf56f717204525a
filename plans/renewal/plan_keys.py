"""The keys of a running plan: one renewal a plan, found missing from the database alone.

Nothing is written when a plan starts, resumes or is retried: a renewal process sees within a
second that a plan at work has no renewal, and makes it. It ends when no task is unfinished.
"""

import json
from collections.abc import Iterable, Iterator

from django.db.models import Exists, OuterRef, Q

from plans import conf
from plans.models import UNDER_WAY_PLAN_STATES, UNFINISHED_STATES, Plan, Renewal, Task
from plans.renewal import functions
from plans.renewal.database import active
from plans.renewal.spec import parse
from plans.stores import tenant_config
from plans.stores.connection import redis_errors, tenant_redis

KEYS = "plan_keys"
IS_DONE = "plan_is_done"
PREFIX = "plan:"


def guard_key(plan_id: int) -> str:
    """The key that stands while a plan is at work: JSON, who started it and when."""
    return f"bg:guard:{plan_id}"


def keys_of_plan(plan_id: int) -> Iterator[str]:
    """The configurations of its unfinished tasks' tenants, and its guard, which is set if missing.

    Raises `RedisUnavailable`.
    """
    plan = Plan.objects.get(pk=plan_id)
    _guard(plan)
    unfinished = Task.objects.filter(plan=plan, state__in=UNFINISHED_STATES)
    tenants = list(unfinished.values_list("tenant_id", flat=True))
    return iter([guard_key(plan_id), *map(tenant_config.key_of, tenants)])


@redis_errors()
def is_done(plan_id: int) -> bool:
    """Whether no task is unfinished any more; the guard goes with it."""
    if Task.objects.filter(plan=plan_id, state__in=UNFINISHED_STATES).exists():
        return False
    tenant_redis().delete(guard_key(plan_id))
    return True


def make_missing() -> int:
    """Make a renewal for every plan at work that has none; how many."""
    unfinished = Task.objects.filter(plan=OuterRef("pk"), state__in=UNFINISHED_STATES)
    # A single task may run again after its plan has ended.
    busy = Task.objects.filter(admitted=True).values("plan")
    at_work = Plan.objects.filter(Q(state__in=UNDER_WAY_PLAN_STATES) | Q(pk__in=busy))
    plans = at_work.filter(Exists(unfinished)).order_by().values_list("pk", flat=True)
    named = active().filter(name__startswith=PREFIX).values_list("name", flat=True)
    missing = {f"{PREFIX}{plan}": plan for plan in plans}
    for name in named if missing else ():
        missing.pop(name, None)
    _create(missing.items())
    return len(missing)


def _create(missing: Iterable[tuple[str, int]]) -> None:
    rows = []
    for name, plan_id in missing:
        arguments = {"plan_id": plan_id}
        spec = parse(
            {
                "redis": "tenants",
                "selector": {
                    "kind": "function",
                    "name": KEYS,
                    "arguments": arguments,
                    "refresh_seconds": conf.PLAN_KEYS_REFRESH_SECONDS,
                },
                "ttl": {"kind": "fixed", "seconds": conf.PLAN_KEYS_TTL_SECONDS},
                "interval": {"kind": "fixed", "seconds": conf.PLAN_KEYS_INTERVAL_SECONDS},
                "stop": {"done": {"name": IS_DONE, "arguments": arguments}},
            }
        )
        rows.append(Renewal(name=name, created_by="system", **spec.model_dump(mode="json")))
    # Two processes may see the same plan at once: the second one's row is not needed.
    Renewal.objects.bulk_create(rows, ignore_conflicts=True)


@redis_errors()
def _guard(plan: Plan) -> None:
    said = {
        "planId": plan.pk,
        "who": plan.started_by,
        "since": plan.started_at.isoformat() if plan.started_at else None,
    }
    ttl_ms = round(conf.PLAN_KEYS_TTL_SECONDS * 1000)
    tenant_redis().set(guard_key(plan.pk), json.dumps(said), px=ttl_ms, nx=True)


functions.keys.register(KEYS, keys_of_plan)
functions.done.register(IS_DONE, is_done)
