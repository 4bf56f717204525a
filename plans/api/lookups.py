"""Find what an address or a filter names."""

from django.utils.translation import gettext_noop as _

from plans.api.errors import ID_SHOWN_CHARS, fault
from plans.errors import MalformedRequest, NotFound
from plans.message import Message
from plans.models import Plan, Task, Tenant
from plans.validation.text import problem_of, storable


def existing_plan(plan_id: int) -> Plan:
    """Raises `NotFound`."""
    plan = Plan.objects.select_related("journal").filter(pk=plan_id).first()
    if plan is None:
        raise NotFound(what=Message(_("plan")), id=plan_id)
    return plan


def existing_task(task_id: int) -> Task:
    """Raises `NotFound`."""
    task = Task.objects.select_related("plan", "wave").filter(pk=task_id).first()
    if task is None:
        raise NotFound(what=Message(_("task")), id=task_id)
    return task


def existing_tenant(tenant_id: str) -> Tenant:
    """Raises `NotFound`, also for what is no tenant's id."""
    tenant = None if problem_of(tenant_id) else Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound(what=Message(_("tenant")), id=storable(tenant_id)[:ID_SHOWN_CHARS])
    return tenant


def require_storable(field: str, text: str | None) -> None:
    """Refuse a filter that no database could compare anything with."""
    if problem := problem_of(text):
        raise MalformedRequest(faults=[fault(field, "%(what)s", what=problem)])
