"""Tell the OB service to which environment the tenant belongs now."""

from django.utils.translation import gettext_lazy as _

from plans.clients import ob_service
from plans.models import Tenant
from plans.stages.base import Done, Outcome, Stage, StageContext
from plans.stages.registry import register
from plans.stores import journey, prepared


@register
class UpdateStatus(Stage):
    """Update the tenant's status at the OB service, and what the registry knows of it."""

    name = "update_status"
    title = _("update status")
    checkpoint = "UPDATED"

    def run(self, context: StageContext) -> Outcome:
        environment = context.target.environment
        ob_service.put_status(context.tenant_id, environment, context.call)
        journey.run([prepared.update(Tenant, context.tenant_id, {"environment": environment}, {})])
        return Done(result={"status": environment})
