"""Read the tenant: what is, before anything changes."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from plans.clients import gateway, ob_service
from plans.errors import ServiceBadAnswer, ServiceRejected
from plans.message import Message
from plans.stages import delivered
from plans.stages.base import Done, Outcome, Skipped, Stage, StageContext
from plans.stages.config_version import version_forward
from plans.stages.registry import register
from plans.stores import tenant_config

NOT_FOUND = 404


@register
class ReadTenant(Stage):
    """Ask the OB service, the gateway and Redis for the tenant's present state.

    Leaves `endpoints` and the new configuration's `version` for later stages, and the previous
    state to which a rollback returns.
    """

    name = "read_tenant"
    title = _("read tenant")
    checkpoint = "READ"

    def run(self, context: StageContext) -> Outcome:
        tenant = ob_service.get_tenant(context.tenant_id, context.call)
        if not tenant.endpoints:
            # Nobody could confirm anything, and that would pass for everybody.
            raise ServiceBadAnswer(
                ob_service.SERVICE, gettext_noop("The OB service names no instances of the tenant.")
            )
        held = tenant_config.read(context.tenant_id)
        version = version_forward(context, held, tenant.config_version)
        previous = {
            "environment": tenant.environment,
            "route": self._route(context, tenant.environment),
            "version": held.version if held else tenant.config_version,
            "payload": held.payload if held else {},
            "endpoints": list(tenant.endpoints),
        }
        result = {
            "environment": tenant.environment,
            "version": previous["version"],
            delivered.CHOSEN: version,
        }
        if context.target.version not in (None, version):
            result["why"] = self._why_above(context, version).as_json()
        return Done(
            data={"version": version, "endpoints": list(tenant.endpoints)},
            result=result,
            previous=previous,
        )

    def undo(self, context: StageContext) -> Outcome:
        return Skipped(Message(gettext_noop("Reading changed nothing.")))

    @staticmethod
    def _why_above(context: StageContext, version: int) -> Message:
        return Message(
            gettext_noop(
                "The plan names version %(named)s; this task has been there and back since, so it "
                "is delivered as version %(version)s: instances never go back in versions."
            ),
            {"named": context.target.version, "version": version},
        )

    @staticmethod
    def _route(context: StageContext, otherwise: str) -> str:
        try:
            return gateway.get_route(context.tenant_id, context.call)
        except ServiceRejected as rejected:
            if rejected.message.values.get("status") != NOT_FOUND:
                raise
            return otherwise  # A tenant without a route of its own follows its status.
