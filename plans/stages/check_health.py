"""Check that every instance is healthy with the expected version."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field

from plans import conf
from plans.clients import instances
from plans.clients.instances import InstanceHealth
from plans.errors import HealthCheckFailed, StageError
from plans.message import Message
from plans.stages.base import Done, Outcome, Skipped, Stage, StageContext, Wait
from plans.stages.registry import register


class CheckHealthParams(BaseModel):
    """How often every instance is asked, and how long between two rounds (S5.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_seconds: float = Field(
        conf.HEALTH_INTERVAL_SECONDS, ge=0, le=conf.HEALTH_INTERVAL_SECONDS_MAX
    )
    attempts: int = Field(conf.HEALTH_ATTEMPTS, ge=1, le=conf.HEALTH_ATTEMPTS_MAX)


@register
class CheckHealth(Stage):
    """Every instance must answer healthy with the expected version; all must pass."""

    name = "check_health"
    title = _("check health")
    checkpoint = "HEALTHY"
    Params = CheckHealthParams

    def run(self, context: StageContext) -> Outcome:
        version = str(context.data["version"])
        answers = instances.ask_all(
            context.endpoints, lambda endpoint: instances.health(endpoint, context.call)
        )
        shown = {endpoint: _shown(answer) for endpoint, answer in answers.items()}
        healthy = sum(_passes(answer, version) for answer in answers.values())
        attempts = context.memo.get("attempts", 0) + 1
        if healthy == len(answers):
            return Done(result={"attempts": attempts, "instances": shown})
        if attempts >= self.params.attempts:
            raise HealthCheckFailed(
                healthy=healthy,
                total=len(answers),
                version=version,
                attempts=attempts,
                instances=shown,
            )
        return Wait(
            seconds=self.params.interval_seconds,
            note=Message(
                gettext_noop("%(healthy)s of %(total)s instances are healthy"),
                {"healthy": healthy, "total": len(answers)},
            ),
            memo={"attempts": attempts},
        )

    def undo(self, context: StageContext) -> Outcome:
        return Skipped(Message(gettext_noop("A health check changes nothing.")))


def _passes(answer: InstanceHealth | StageError, version: str) -> bool:
    return (
        isinstance(answer, InstanceHealth) and answer.status == "UP" and answer.version == version
    )


def _shown(answer: InstanceHealth | StageError) -> str:
    return answer.code if isinstance(answer, StageError) else f"{answer.status} {answer.version}"
