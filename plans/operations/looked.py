"""How every operation begins: permission, one transaction, locked rows, nothing moved on.

A command carries what its sender saw. If the object is different by now, it is refused as
"changed since you looked", and nothing happens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError

from plans import events
from plans.actor import Actor, Permission
from plans.errors import ChangedSinceYouLooked, TenantConflict
from plans.events import Record, describe
from plans.message import Message
from plans.models import Plan, Task
from plans.operations.taken import conflict_of_plan, require_taken
from plans.queries.existing import existing

Row = TypeVar("Row", Plan, Task)

Seen = str | int | None
"""The state (text) or the revision (number) that the sender saw; None: whatever it is now."""


@contextmanager
def operating_on_plan(
    plan_id: int,
    actor: Actor,
    seen: Seen = None,
    *,
    needs: Permission = Permission.OPERATE,
) -> Iterator[tuple[Plan, Record]]:
    """Lock plan `plan_id` in one transaction for `actor`.

    Raises `PermissionRefused`, `NotFound`, `ChangedSinceYouLooked`; and `TenantConflict` if a
    task that is set going again finds its tenant in another unfinished task.
    """
    actor.require(needs)
    try:
        with events.record(existing(Plan.objects.all(), plan_id), actor) as record:
            plan = _locked(Plan, plan_id, seen)
            yield plan, record
    except IntegrityError as broken:
        require_taken(broken)
        raise conflict_of_plan(plan_id) from broken


@contextmanager
def operating_on_task(
    task_id: int, actor: Actor, seen: Seen = None
) -> Iterator[tuple[Task, Plan, Record]]:
    """Lock task `task_id` and its plan likewise."""
    actor.require(Permission.OPERATE)
    unlocked = existing(Task.objects.all(), task_id)
    try:
        with events.record(unlocked.plan, actor) as record:
            plan = _locked(Plan, unlocked.plan_id)
            yield _locked(Task, task_id, seen), plan, record
    except IntegrityError as broken:
        require_taken(broken)
        raise TenantConflict(tenant=unlocked.tenant_id) from broken


def _locked(model: type[Row], pk: int, seen: Seen = None) -> Row:
    row = model.objects.select_for_update(no_key=True).get(pk=pk)
    if seen is not None and seen not in (row.state, row.revision):
        raise ChangedSinceYouLooked(what=describe(row), state=Message.of(row.get_state_display()))
    return row
