"""Deliver the configuration through Redis and wait until every instance acknowledges it."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field

from plans import conf
from plans.clients import instances
from plans.errors import AckTimeout, StageError, StaleVersion
from plans.message import Message
from plans.stages.base import Done, Outcome, Stage, StageContext, Wait
from plans.stages.registry import register
from plans.stores import tenant_config
from plans.stores.tenant_config import StoredConfig


class DeliverConfigParams(BaseModel):
    """How long to wait for the instances, and how long at most between two polls."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ack_timeout_seconds: float = Field(conf.ACK_TIMEOUT_SECONDS, gt=0, le=86_400)
    poll_max_seconds: float = Field(3.0, gt=0, le=600)


@register
class DeliverConfig(Stage):
    """Write the versioned value, publish a notice, poll until all instances report the version."""

    name = "deliver_config"
    title = _("deliver configuration")
    checkpoint = "DELIVERED"
    Params = DeliverConfigParams

    def run(self, context: StageContext) -> Outcome:
        held = tenant_config.read(context.tenant_id)
        memo = context.memo or {"version": self._version(context, held), "polls": 0}
        version = memo["version"]
        # Redis may have been emptied before every instance has read what was written.
        if not context.memo or held is None or held.version < version:
            self._write(context, version)
        reported = instances.ask_all(
            context.endpoints,
            lambda endpoint: instances.config_version(endpoint, context.call),
        )
        silent = {e: answer for e, answer in reported.items() if answer != str(version)}
        shown = {e: _shown(answer) for e, answer in reported.items()}
        if not silent:
            return Done(data={"version": version}, result={"version": version, "instances": shown})
        confirmed = len(reported) - len(silent)
        if context.elapsed_seconds >= self.params.ack_timeout_seconds:
            raise AckTimeout(
                confirmed=confirmed,
                total=len(reported),
                version=version,
                seconds=round(context.elapsed_seconds, 1),
                instances=shown,
            )
        polls = memo["polls"] + 1
        return Wait(
            seconds=min(conf.ACK_POLL_SECONDS * 2 ** (polls - 1), self.params.poll_max_seconds),
            note=Message(
                gettext_noop("%(confirmed)s of %(total)s instances confirmed version %(version)s"),
                {"confirmed": confirmed, "total": len(reported), "version": version},
            ),
            memo={"version": version, "polls": polls},
        )

    @staticmethod
    def _write(context: StageContext, version: int) -> None:
        payload = context.target.payload
        if payload is None:
            payload = (context.previous or {}).get("payload") or {}
        context.call.before()  # Not one byte once the lease is lost.
        written = tenant_config.write(
            context.tenant_id,
            version=version,
            epoch=context.call.fence,
            color=context.target.environment,
            payload=payload,
        )
        if not written.written:
            raise StaleVersion(
                tenant=context.tenant_id,
                version=version,
                epoch=context.call.fence,
                held_version=written.held_version,
                held_epoch=written.held_epoch,
            )

    @staticmethod
    def _version(context: StageContext, held: StoredConfig | None) -> int:
        """Forward the version that was chosen; back a new one: instances never see it go down."""
        chosen = int(context.data.get("version", 0))
        return 1 + max(held.version if held else 0, chosen) if context.is_rollback else chosen


def _shown(answer: str | StageError) -> str:
    return answer.code if isinstance(answer, StageError) else answer
