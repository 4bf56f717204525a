"""Tenant ids: shape, known, named once."""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.validation.chain import register
from plans.validation.lookup import Lookup
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
    lookup = subject.lookup
    unheard = frozenset(lookup.unheard)
    if unheard:
        yield error(
            "TENANTS_UNHEARD",
            "tenantIds",
            _(
                "The OB service said nothing of %(count)s of the tenants within %(seconds)s s. "
                "What it said of the others is kept: try again, or name fewer tenants."
            ),
            count=len(unheard),
            seconds=f"{conf.OB_QUESTIONS_SECONDS:g}",
        )
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
        elif tenant_id not in lookup.known and tenant_id not in unheard:
            yield _unknown(lookup, tenant_id)
        if times > 1:
            yield error(
                "TENANT_DUPLICATE",
                "tenantIds",
                _("The tenant is named %(times)s times."),
                tenant_id=tenant_id[:SHOWN_MAX_CHARS],
                times=times,
            )


def _unknown(lookup: Lookup, tenant_id: str) -> Issue:
    unreadable = lookup.unreadable.get(tenant_id)
    if unreadable:
        return error(
            unreadable.code,
            "tenantIds",
            _("The OB service could not be asked for the tenant: %(why)s"),
            tenant_id=tenant_id,
            why=unreadable.message,
        )
    if tenant_id in lookup.gone:
        return error(
            "TENANT_GONE",
            "tenantIds",
            _("The OB service no longer has the tenant: leave it out."),
            tenant_id=tenant_id,
        )
    return error(
        "TENANT_UNKNOWN",
        "tenantIds",
        _("The OB service knows no such tenant."),
        tenant_id=tenant_id,
    )
