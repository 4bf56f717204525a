"""Find what an address or a filter names."""

from django.utils.translation import gettext_noop as _

from plans.api.errors import ID_SHOWN_CHARS, fault
from plans.errors import MalformedRequest, NotFound
from plans.message import Message
from plans.models import Tenant
from plans.validation.text import problem_of, storable


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
