"""The rows of the walls: a cell a task on a plan's page, a cell a tenant on the overview."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When

from plans.models import UNFINISHED_STATES, Plan, Task, TaskState, Tenant
from plans.queries.condition import Condition, condition_of

SETTLED = (TaskState.PENDING, TaskState.COMPLETED, TaskState.ROLLED_BACK)
SWITCHING_STAGE = "switch_route"
_FIELDS = (
    "pk",
    "tenant_id",
    "plan_id",
    "state",
    "reached",
    "admitted",
    "lease_owner",
    "wake_at",
    "control",
)


class WallRow(NamedTuple):
    """One cell's facts. `condition` None: nothing happens. `between`: it may be on either side.

    `task_id` None: the tenant never was in a task.
    """

    task_id: int | None
    tenant_id: str
    name: str
    environment: str
    state: str
    condition: Condition | None
    between: bool


def plan_rows(plan: Plan, task_ids: Iterable[int] | None = None) -> list[WallRow]:
    """The cells of a plan's wall in the plan's order, or those of `task_ids` alone."""
    tasks = Task.objects.filter(plan=plan).order_by("position")
    if task_ids is not None:
        tasks = tasks.filter(pk__in=task_ids)
    switch = switching_index(plan)
    rows = tasks.values_list(*_FIELDS, "tenant__name", "tenant__environment")
    return [_row(row[:-2], row[-2], row[-1], switch) for row in rows]


def moved_elsewhere(plan: Plan) -> dict[int, str]:
    """The tasks of `plan` whose tenants other plans, or others outside, may have moved since they
    were planned, and where each tenant is. No event of the plan tells of that.
    """
    others = Task.objects.filter(tenant=OuterRef("tenant"))
    later = others.filter(pk__gt=OuterRef("pk"), started_at__isnull=False)
    again = others.filter(pk__lt=OuterRef("pk"), finished_at__gt=OuterRef("plan__created_at"))
    outside = Q(tenant__synced_at__gt=F("plan__created_at"))
    moved = Task.objects.filter(Exists(later) | Exists(again) | outside, plan=plan)
    return dict(moved.values_list("pk", "tenant__environment"))


def fleet_rows(tenant_ids: Iterable[str] | None = None) -> list[WallRow]:
    """The cells of the overview in the order of tenant ids, or those of `tenant_ids` alone."""
    tenants = fleet_tenants().order_by("pk")
    if tenant_ids is not None:
        tenants = tenants.filter(pk__in=tenant_ids)
    tasks = {row[1]: row for row in latest_tasks(tenants).values_list(*_FIELDS)}
    switches = _switching_indexes({row[2] for row in tasks.values() if row[3] not in SETTLED})
    found = []
    for pk, name, environment in tenants.values_list("pk", "name", "environment"):
        if pk in tasks:
            switch = switches.get(tasks[pk][2], 0)
            found.append(quiet(_row(tasks[pk], name, environment, switch)))
        else:
            found.append(WallRow(None, pk, name, environment, "", None, False))
    return found


def fleet_tenants() -> QuerySet[Tenant]:
    """The tenants of the overview: who is gone from the OB service is only while in a task."""
    unfinished = Task.objects.filter(tenant=OuterRef("pk"), state__in=UNFINISHED_STATES)
    return Tenant.objects.filter(Q(gone_at=None) | Exists(unfinished))


def latest_tasks(tenants: QuerySet[Tenant]) -> QuerySet[Task]:
    """Of each tenant the task that says what is happening: the unfinished one, else the latest."""
    unfinished_first = Case(When(state__in=UNFINISHED_STATES, then=Value(0)), default=Value(1))
    latest = Task.objects.filter(tenant=OuterRef("pk")).order_by(unfinished_first, "-pk")
    chosen = tenants.order_by().annotate(latest=Subquery(latest.values("pk")[:1]))
    return Task.objects.filter(pk__in=chosen.values("latest"))


def switching_index(plan: Plan) -> int:
    """The place in the plan's pipeline of the stage that moves the traffic."""
    return _switching_indexes({plan.pk}).get(plan.pk, 0)


def _switching_indexes(plan_ids: Iterable[int]) -> dict[int, int]:
    """The same of several plans, by their primary keys; one statement."""
    first = Task.objects.filter(plan__in=plan_ids, position=0).order_by()
    found = {}
    for plan_id, pipeline in first.values_list("plan_id", "pipeline"):
        names = [spec["name"] for spec in pipeline]
        found[plan_id] = names.index(SWITCHING_STAGE) if SWITCHING_STAGE in names else 0
    return found


def quiet(row: WallRow) -> WallRow:
    """On the overview a tenant whose switch is completed or cancelled is simply where it is."""
    if row.condition in (Condition.COMPLETED, Condition.CANCELLED) and not row.between:
        return row._replace(condition=None)
    return row


def _row(fields: tuple, name: str, environment: str, switch: int) -> WallRow:
    pk, tenant_id, _, state, reached, admitted, lease_owner, wake_at, control = fields
    between = reached > switch and state not in SETTLED
    condition = condition_of(state, admitted, lease_owner, wake_at, control)
    return WallRow(pk, tenant_id, name, environment, state, condition, between)
