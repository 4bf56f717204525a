"""Conflicts: another task has the tenant, or left it half-switched."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from plans.models import UNFINISHED_STATES, PlanState, Task, TaskState
from plans.slices import slices
from plans.validation.chain import register
from plans.validation.subject import Subject
from plans.validation.summary import Issue, error, warning

FIELDS = ("tenant_id", "pk", "plan", "plan__state", "state")
LEFT_BEHIND = Q(
    state__in=(TaskState.FAILED, TaskState.CANCELLED, TaskState.ROLLBACK_FAILED), reached__gt=1
)


@register
def validate_conflicts(subject: Subject) -> Iterable[Issue]:
    """No tenant is in another unfinished task; half-switched ones are pointed out."""
    for some in slices(subject.well_formed_ids):
        of_tenants = Task.objects.filter(tenant__in=some)
        rows = of_tenants.filter(Q(state__in=UNFINISHED_STATES) | LEFT_BEHIND).order_by("pk")
        latest = {row["tenant_id"]: row for row in rows.values(*FIELDS)}
        for tenant_id, row in latest.items():
            yield _issue(tenant_id, row)


def _issue(tenant_id: str, row: Mapping[str, Any]) -> Issue:
    values = {"task": row["pk"], "plan": row["plan"]}
    if row["state"] == TaskState.PENDING and row["plan__state"] == PlanState.FAILED:
        return error(
            "TENANT_CONFLICT",
            "tenantIds",
            _(
                "The tenant is in the unfinished task %(task)s of plan %(plan)s, which has failed "
                "without beginning it: cancel that task, retry that plan, or roll it back."
            ),
            tenant_id=tenant_id,
            **values,
        )
    if row["state"] in UNFINISHED_STATES:
        return error(
            "TENANT_CONFLICT",
            "tenantIds",
            _("The tenant is in the unfinished task %(task)s of plan %(plan)s."),
            tenant_id=tenant_id,
            **values,
        )
    return warning(
        "TENANT_HALF_SWITCHED",
        "tenantIds",
        _("Task %(task)s of plan %(plan)s ended half-way and may have left the tenant in between."),
        tenant_id=tenant_id,
        **values,
    )
