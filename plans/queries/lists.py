"""The lists that can be asked for: plans, tasks, events, tenants; unordered filters become SQL."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from plans.models import Event, Plan, Task, Tenant
from plans.queries.tenants import labelled, present

ID_MAX = 2**63 - 1
"""The largest key that the database can hold."""


def plans(search: str = "", states: Sequence[str] = ()) -> QuerySet[Plan]:
    """Plans whose name contains `search` or whose number it is, newest first."""
    found = Plan.objects.order_by("-pk")
    if search:
        named = Q(name__icontains=search)
        if search.isascii() and search.isdigit() and int(search) <= ID_MAX:
            named |= Q(pk=int(search))
        found = found.filter(named)
    return found.filter(state__in=states) if states else found


def tasks(
    plan_id: int | None = None, tenant_id: str | None = None, states: Sequence[str] = ()
) -> QuerySet[Task]:
    """Tasks with their waves, by plan (newest first) and position."""
    found = Task.objects.select_related("wave").order_by("-plan", "position")
    if plan_id is not None:
        found = found.filter(plan=plan_id)
    if tenant_id is not None:
        found = found.filter(tenant=tenant_id)
    return found.filter(state__in=states) if states else found


def events(plan: Plan, after: int, until: int) -> QuerySet[Event]:
    """The events of `plan` with `after` < seq <= `until`, in order."""
    return Event.objects.filter(plan=plan, seq__gt=after, seq__lte=until).order_by("seq")


def tenants(search: str = "", environment: str | None = None, label: str = "") -> QuerySet[Tenant]:
    """Tenants that a plan can name, whose id or name contains `search`, with `label`
    (`name=value`), by id.
    """
    found = present()
    if search:
        found = found.filter(Q(tenant_id__icontains=search) | Q(name__icontains=search))
    if label:
        found = labelled(found, label)
    return found.filter(environment=environment) if environment else found
