"""Let the tenant run for a while before going on."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field

from plans.message import Message
from plans.stages.base import Done, Outcome, Skipped, Stage, StageContext, Wait
from plans.stages.registry import register


class SoakParams(BaseModel):
    """How long to soak."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(10.0, ge=0, le=7 * 86_400)


@register
class Soak(Stage):
    """Wait, holding no worker."""

    name = "soak"
    title = _("soak")
    checkpoint = "SOAKED"
    Params = SoakParams

    def run(self, context: StageContext) -> Outcome:
        if context.memo or not self.params.seconds:
            return Done(result={"seconds": self.params.seconds})
        return Wait(
            seconds=self.params.seconds,
            note=Message(
                gettext_noop("soaking for %(seconds)s s"), {"seconds": self.params.seconds}
            ),
            memo={"soaking": True},
        )

    def undo(self, context: StageContext) -> Outcome:
        return Skipped(Message(gettext_noop("Soaking changed nothing.")))
