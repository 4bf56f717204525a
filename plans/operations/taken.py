"""The database refuses a second unfinished task of a tenant: whose it is, in words."""

from django.db import IntegrityError
from django.utils.translation import gettext_noop as _

from plans.errors import TenantConflict
from plans.models import UNFINISHED_STATES, Task

BROKEN = ("one_unfinished_task_per_tenant", "UNIQUE constraint failed: plans_task.tenant_id")
"""How PostgreSQL and SQLite name the constraint of `Task`."""
RELEASED = _("One of the tenants was in another unfinished task a moment ago: try again.")


def require_taken(broken: IntegrityError) -> None:
    """Raises `broken` again unless it says that a tenant is in another unfinished task."""
    if not any(name in str(broken) for name in BROKEN):
        raise broken


def conflict_of_plan(plan_id: int) -> TenantConflict:
    """The refusal that names a tenant of the plan that is in an unfinished task of another."""
    others = Task.objects.filter(state__in=UNFINISHED_STATES, tenant__tasks__plan=plan_id)
    tenant = others.exclude(plan=plan_id).values_list("tenant", flat=True).first()
    return TenantConflict(RELEASED) if tenant is None else TenantConflict(tenant=tenant)
