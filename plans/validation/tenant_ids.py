"""Tenant ids: shape, known, named once."""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.validation.chain import register
from plans.validation.subject import Subject, is_tenant_id
from plans.validation.summary import Issue, error

SHOWN_MAX_CHARS = 80


@register
def validate_tenant_ids(subject: Subject) -> Iterable[Issue]:
    """Every id has the right shape, is known, and stands in the request once."""
    asked = Counter(tenant.tenant_id for tenant in subject.request.tenants)
    if not asked:
        yield error("NO_TENANTS", "tenantIds", _("Name at least one tenant."))
    if asked.total() > conf.TENANTS_PER_PLAN_MAX:
        yield error(
            "TOO_MANY_TENANTS",
            "tenantIds",
            _("%(count)s tenants are too many for one plan: %(limit)s at most. Make several."),
            count=asked.total(),
            limit=conf.TENANTS_PER_PLAN_MAX,
        )
        return
    for tenant_id, times in asked.items():
        if not is_tenant_id(tenant_id):
            yield error(
                "TENANT_ID_MALFORMED",
                "tenantIds",
                _(
                    "A tenant id starts with a letter or digit and has at most 64 letters, "
                    "digits, dots, colons, dashes and underscores."
                ),
                tenant_id=tenant_id[:SHOWN_MAX_CHARS],
            )
        elif tenant_id not in subject.tenants:
            yield _unknown(subject, tenant_id)
        if times > 1:
            yield error(
                "TENANT_DUPLICATE",
                "tenantIds",
                _("The tenant is named %(times)s times."),
                tenant_id=tenant_id[:SHOWN_MAX_CHARS],
                times=times,
            )


def _unknown(subject: Subject, tenant_id: str) -> Issue:
    unreadable = (subject.unreadable or {}).get(tenant_id)
    if unreadable:
        return error(
            unreadable.code,
            "tenantIds",
            _("The OB service could not be asked for the tenant: %(why)s"),
            tenant_id=tenant_id,
            why=unreadable.message,
        )
    return error(
        "TENANT_UNKNOWN",
        "tenantIds",
        _("The OB service knows no such tenant."),
        tenant_id=tenant_id,
    )
