"""Deliver the configuration through Redis and wait until the instances acknowledge it."""

import time
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from plans.ack.poll import Poll
from plans.ack.result import AckResult, Reason
from plans.ack.unreadable import Unreadable
from plans.errors import AckError, AckMismatch, AckTimeout, StageError
from plans.message import Message
from plans.stages import config_version
from plans.stages.base import Done, Outcome, Stage, StageContext, Wait
from plans.stages.deliver_params import DeliverConfigParams
from plans.stages.registry import register
from plans.stores import tenant_config

FAILURES: dict[Reason | None, type[AckError]] = {
    Reason.TIMEOUT: AckTimeout,
    Reason.MISMATCH: AckMismatch,
    Reason.ERROR: AckError,
}
NOTE = gettext_noop("%(confirmed)s of %(total)s instances confirmed version %(version)s")
NOTE_OF_SOME = gettext_noop(
    "%(confirmed)s of %(total)s instances confirmed version %(version)s, %(required)s are required"
)


@register
class DeliverConfig(Stage):
    """Write the versioned value, publish a notice, poll until enough instances report it.

    Each round asks those that have not acknowledged, all at once. When the time is over it fails
    with `ACK_TIMEOUT` if some instance did not answer when it was last asked, else with
    `ACK_MISMATCH` if some reported another version, else with `ACK_ERROR`.
    """

    name = "deliver_config"
    title = _("deliver configuration")
    checkpoint = "DELIVERED"
    Params = DeliverConfigParams

    def run(self, context: StageContext) -> Outcome:
        began = time.monotonic()
        version = self._written(context)
        poll = self._poll(context, version)
        question, quorum = self.params.question, self.params.quorum
        poll.ask(
            lambda endpoint: question.ask(endpoint, context.call),
            quorum=quorum,
            timeout_seconds=question.timeout_seconds,
        )
        elapsed = context.elapsed_seconds + time.monotonic() - began
        left = self.params.ack_timeout_seconds - elapsed
        if poll.is_agreed(quorum) or left <= 0:
            return self._ended(version, poll.result(elapsed, quorum))
        return Wait(
            seconds=min(self.params.strategy(poll.rounds), left),
            note=self._note(version, poll),
            memo={"version": version, **poll.as_json()},
        )

    def _written(self, context: StageContext) -> int:
        """The version, which Redis holds now."""
        known = context.memo.get("version")
        if known is not None:
            # Redis may have been emptied before all have read it, and notices get lost.
            config_version.write(context, known, unless_held=True)
            return int(known)
        if context.is_rollback:
            held = tenant_config.read(context.tenant_id)
            version = config_version.version_back(context, held)
        else:
            version = int(context.data["version"])
        config_version.write(context, version)
        return version

    def _poll(self, context: StageContext, version: int) -> Poll:
        if context.memo:
            return Poll.from_json(context.memo, context.endpoints)
        try:
            expected = self.params.expected_tag(version, config_version.payload_of(context))
        except Unreadable as unreadable:
            raise StageError(
                gettext_noop("The configuration holds no version to expect: %(cause)s."),
                code=AckError.code,
                cause=unreadable.message,
            ) from None
        return Poll.of(context.endpoints, expected)

    def _ended(self, version: int, ack: AckResult) -> Done:
        instances = ack.instances_json()
        if not ack.success:
            raise FAILURES[ack.reason](
                confirmed=ack.confirmed,
                total=len(instances),
                version=version,
                expected=ack.expected_version,
                seconds=round(ack.elapsed_seconds, 1),
                attempts=ack.attempts,
                instances=instances,
            )
        result: dict[str, Any] = {
            "version": version,
            "attempts": ack.attempts,
            "instances": instances,
        }
        if ack.expected_version != str(version):
            result["expected"] = ack.expected_version
        if not self.params.quorum.is_all:
            result |= self._of_some(ack)
        return Done(data={"version": version}, result=result)

    def _of_some(self, ack: AckResult) -> dict[str, Any]:
        """What is kept for the audit where not all had to agree."""
        required = str(self.params.quorum)
        result: dict[str, Any] = {"required": required, "missing": ack.missing}
        if ack.missing:
            text = gettext_noop(
                "Went on with %(confirmed)s of %(total)s instances, because the plan requires "
                "%(required)s."
            )
            values = {
                "confirmed": ack.confirmed,
                "total": len(ack.instances),
                "required": required,
            }
            result["why"] = Message(text, values).as_json()
        return result

    def _note(self, version: int, poll: Poll) -> Message:
        quorum = self.params.quorum
        values = {"confirmed": poll.confirmed, "total": len(poll.endpoints), "version": version}
        if quorum.is_all:
            return Message(NOTE, values)
        return Message(NOTE_OF_SOME, {**values, "required": str(quorum)})
