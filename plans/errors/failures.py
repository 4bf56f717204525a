"""Failures: how a stage ends when it does not succeed."""

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop as _

from plans.conf import REDIS_TRIES
from plans.errors.base import BluegreenError


class FailureKind(StrEnum):
    """What sort of trouble a failure is (S4.1).

    No stage of ours fails with `VALIDATION` or `CHECKPOINT`: what is not valid becomes no plan, and
    a checkpoint is a part of the task's row. Stages of other packages may.
    """

    VALIDATION = "VALIDATION"
    EXECUTION = "EXECUTION"
    TIMEOUT = "TIMEOUT"
    NETWORK = "NETWORK"
    STATE = "STATE"
    CHECKPOINT = "CHECKPOINT"
    SYSTEM = "SYSTEM"


class StageError(BluegreenError):
    """A stage failed. A retryable one is tried again by the stage's policy before the task fails.

    `retry_after_seconds` is what the other side asked for (`Retry-After`), else None.
    """

    code = "UNEXPECTED_ERROR"
    kind = FailureKind.EXECUTION
    tries = 0
    """How many tries it is worth at least, whatever the stage's own policy says."""

    def __init__(
        self,
        template: str | None = None,
        /,
        *,
        code: str | None = None,
        kind: FailureKind | None = None,
        retryable: bool | None = None,
        retry_after_seconds: float | None = None,
        **values: Any,
    ) -> None:
        super().__init__(template, **values)
        self.code = code or self.code
        self.kind = kind or self.kind
        self.retryable = self.retryable if retryable is None else retryable
        self.retry_after_seconds = retry_after_seconds


class ServiceError(StageError):
    """A call to the outside failed; the code is `<SERVICE>_<what>` (see the subclasses)."""

    suffix = ""

    def __init__(self, service: str, template: str | None = None, /, **values: Any) -> None:
        values.setdefault("code", f"{service}_{self.suffix}")
        super().__init__(template, service=service, **values)


class ServiceTimeout(ServiceError):
    """No whole answer within `conf.HTTP_TIMEOUT_SECONDS`. The call may have taken effect."""

    suffix = "TIMEOUT"
    kind = FailureKind.TIMEOUT
    retryable = True
    template = _("%(service)s did not answer %(method)s %(url)s within %(seconds)s s.")


class ServiceUnreachable(ServiceError):
    """The connection was refused or broke. The call may have taken effect."""

    suffix = "UNREACHABLE"
    kind = FailureKind.NETWORK
    retryable = True
    template = _("%(service)s cannot be reached for %(method)s %(url)s: %(cause)s.")


class ServiceRejected(ServiceError):
    """The service said no (4xx). Only 408, 425 and 429 are worth another try."""

    suffix = "REJECTED"
    template = _("%(service)s answered %(status)s to %(method)s %(url)s.")


class TenantUnknown(ServiceRejected):
    """The OB service has no such tenant."""

    template = _("The OB service does not know tenant %(tenant)s.")


class ServiceUnavailable(ServiceError):
    """The service answered 5xx."""

    suffix = "UNAVAILABLE"
    kind = FailureKind.NETWORK
    retryable = True
    template = _("%(service)s answered %(status)s to %(method)s %(url)s.")


class ServiceBadAnswer(ServiceError):
    """The answer is too large, not JSON, or lacks a field that is needed."""

    suffix = "BAD_ANSWER"
    template = _("%(service)s answered %(method)s %(url)s with something unusable: %(cause)s.")


class EndpointForbidden(ServiceRejected):
    """The address is not an allowed one (SSRF guard); nothing was sent."""

    template = _("%(url)s was not called: %(cause)s.")


class RedisUnavailable(StageError):
    """Redis did not answer. The database decides, so only what needs Redis waits."""

    code = "REDIS_UNAVAILABLE"
    kind = FailureKind.NETWORK
    retryable = True
    tries = REDIS_TRIES
    template = _("Redis cannot be reached: %(cause)s.")


class StaleVersion(StageError):
    """Redis holds a newer configuration or one of a newer worker; ours was not written."""

    code = "STALE_VERSION"
    kind = FailureKind.STATE
    template = _(
        "Redis already holds version %(held_version)s (epoch %(held_epoch)s) for %(tenant)s; "
        "version %(version)s (epoch %(epoch)s) was not written."
    )


class AckError(StageError):
    """Instances answered with errors or with what holds no version, until the time was over."""

    code = "ACK_ERROR"
    template = _(
        "%(confirmed)s of %(total)s instances confirmed version %(version)s within %(seconds)s s; "
        "others answered with errors."
    )


class AckMismatch(AckError):
    """Every instance answered, and some still reported another version when the time was over."""

    code = "ACK_MISMATCH"
    template = _(
        "%(confirmed)s of %(total)s instances confirmed version %(version)s within %(seconds)s s; "
        "others report another version."
    )


class AckTimeout(AckError):
    """Some instance did not answer when it was last asked before the time was over."""

    code = "ACK_TIMEOUT"
    kind = FailureKind.TIMEOUT
    template = _(
        "%(confirmed)s of %(total)s instances confirmed version %(version)s within %(seconds)s s; "
        "others did not answer."
    )


class HealthCheckFailed(StageError):
    """Not every instance became healthy with the expected version (S5.2)."""

    code = "HEALTH_CHECK_FAILED"
    template = _(
        "%(healthy)s of %(total)s instances are healthy with version %(version)s "
        "after %(attempts)s attempts."
    )
