"""Switch the gateway's route to the tenant's new environment."""

from django.utils.translation import gettext_lazy as _

from plans.clients import gateway
from plans.stages.base import Done, Outcome, Stage, StageContext
from plans.stages.registry import register


@register
class SwitchRoute(Stage):
    """From here on the tenant's traffic goes to the target."""

    name = "switch_route"
    title = _("switch route")
    checkpoint = "SWITCHED"

    def run(self, context: StageContext) -> Outcome:
        return self._put(context, context.target.environment)

    def undo(self, context: StageContext) -> Outcome:
        """Back to the route that stood, which need not be the OB service's word."""
        return self._put(context, (context.previous or {})["route"])

    @staticmethod
    def _put(context: StageContext, environment: str) -> Outcome:
        color = gateway.put_route(context.tenant_id, environment, context.call)
        return Done(result={"color": color})
