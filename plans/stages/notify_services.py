"""Tell the services of a tenant where it is going, before its traffic goes there."""

from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from plans import notify
from plans.errors import StageError
from plans.message import Message
from plans.notify import Notice, NotifyResult, Recipient, Service
from plans.notify.services import SERVICES_MAX, repeated_name
from plans.stages.base import Done, Outcome, RetryPolicy, Skipped, Stage, StageContext, Wait
from plans.stages.previous_config import put_back
from plans.stages.refusals import without_never_told
from plans.stages.registry import register

POLICY = RetryPolicy()


class NotifyServicesParams(BaseModel):
    """Whom to tell (None: whom the settings name), and how often each is tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: tuple[Service, ...] | None = Field(None, max_length=SERVICES_MAX)
    tries: int = Field(POLICY.tries, ge=1, le=100)

    @field_validator("services")
    @classmethod
    def _named_once(cls, services: tuple[Service, ...] | None) -> tuple[Service, ...] | None:
        if name := repeated_name(services or ()):
            raise PydanticCustomError(
                "services", "{text}", {"text": gettext("Two services have the name %s.") % name}
            )
        return services


@register
class NotifyServices(Stage):
    """Every service must be told; all are told at once, and each until it has answered.

    The stage repeats by itself what is worth repeating: who has been told is not told again.
    """

    name = "notify_services"
    title = _("notify services")
    checkpoint = "NOTIFIED"
    Params = NotifyServicesParams
    retry = RetryPolicy(tries=1)

    def run(self, context: StageContext) -> Outcome:
        return self._tell(context, int(context.data["version"]), {})

    def undo(self, context: StageContext) -> Outcome:
        """Tell them the previous environment, and the version under which its configuration is.

        The delivery is undone after this stage, and services read the configuration when they
        are told. So what was before is written here, under the version that the delivery then
        takes over and has confirmed. The route is back by now: nothing waits for the services
        but the rollback's own end.
        """
        if not self._recipients(context):
            return self._nobody()
        version = context.memo.get("version") or put_back(context)
        return self._tell(context, version, {"version_back": version})

    def _tell(self, context: StageContext, version: int, data: dict[str, Any]) -> Outcome:
        recipients = self._recipients(context)
        if not recipients:
            return self._nobody()
        known: dict[str, Any] = context.memo.get("told", {})
        waiting = [each for each in recipients if not known.get(each.key, {}).get("told")]
        notice = Notice(context.tenant_id, version, context.target.environment)
        results = [
            NotifyResult(recipient, known.get(recipient.key, {}).get("tries", 0) + 1, answer)
            for recipient, answer in notify.tell(waiting, notice, context.call).items()
        ]
        known = known | {result.recipient.key: result.as_json() for result in results}
        shown = [known[recipient.key] for recipient in recipients]
        failed = [result for result in results if result.error is not None]
        if failed and context.is_rollback:
            failed = without_never_told(context.task_id, self.name, failed)
        if not failed:
            return Done(data=data, result={"version": str(version), "services": shown})
        if final := next((each for each in failed if not self._may_try_again(each)), None):
            raise _failure(final, shown)
        return Wait(
            seconds=max(_delay_seconds(each) for each in failed),
            note=_note(shown, failed[0]),
            memo={"version": version, "told": known},
        )

    def _recipients(self, context: StageContext) -> list[Recipient]:
        services = self.params.services
        return [
            recipient
            for service in (notify.configured() if services is None else services)
            for recipient in service.recipients(context.endpoints)
        ]

    def _may_try_again(self, result: NotifyResult) -> bool:
        error = result.error
        assert error is not None
        return error.retryable and result.tries < max(self.params.tries, error.tries)

    @staticmethod
    def _nobody() -> Outcome:
        return Skipped(Message(gettext_noop("No service is to be told.")))


def _failure(result: NotifyResult, shown: list[dict[str, Any]]) -> StageError:
    """The recipient's own error, which also names everybody; all its tries are spent."""
    error = result.error
    assert error is not None
    return StageError(
        error.message.template,
        code=error.code,
        kind=error.kind,
        retryable=error.retryable,
        **{**error.message.values, "services": shown},
    )


def _delay_seconds(result: NotifyResult) -> float:
    assert result.error is not None
    return POLICY.delay_seconds(result.tries, result.error.retry_after_seconds)


def _note(shown: list[dict[str, Any]], failed: NotifyResult) -> Message:
    assert failed.error is not None
    return Message(
        gettext_noop("%(told)s of %(total)s notices are delivered; %(service)s: %(code)s"),
        {
            "told": sum(each["told"] for each in shown),
            "total": len(shown),
            "service": failed.recipient.service,
            "code": failed.error.code,
        },
    )
