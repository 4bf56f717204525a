"""Refusals: what a person or a script asked for cannot be done."""

from typing import Any

from django.utils.translation import gettext_noop as _

from plans.errors.base import BluegreenError


class RefusedError(BluegreenError):
    """A request that is refused; nothing has changed. `status` is the HTTP status of the answer."""

    status = 400
    code = "REFUSED"

    @property
    def details(self) -> list[Any]:
        """What to mend, one entry a fault."""
        return []


class MalformedRequest(RefusedError):
    """The request cannot be read: not JSON, too deep, a wrong type."""

    code = "MALFORMED"
    template = _("The request cannot be read.")

    def __init__(
        self, template: str | None = None, /, *, faults: list[Any] | None = None, **values: Any
    ) -> None:
        super().__init__(template, **values)
        self._faults = faults or []

    @property
    def details(self) -> list[Any]:
        return self._faults


class RequestTooLarge(RefusedError):
    """The request's body is larger than `conf.BODY_MAX_BYTES`."""

    status = 413
    code = "TOO_LARGE"
    template = _("The request is larger than %(limit)s bytes: split it into several plans.")


class PermissionRefused(RefusedError):
    """The actor's role does not allow the operation."""

    status = 403
    code = "FORBIDDEN"
    template = _("%(actor)s may not do this: it needs the permission to %(permission)s.")


class FourEyes(RefusedError):
    """Who created or started a plan may not decide about its gates: a second person must."""

    status = 403
    code = "FOUR_EYES"
    template = _(
        "%(actor)s created or started this plan: somebody else must decide about its gates."
    )


class NotFound(RefusedError):
    """There is no such object."""

    status = 404
    code = "NOT_FOUND"
    template = _("There is no %(what)s %(id)s.")


class IllegalTransition(RefusedError):
    """The object is in a state that does not allow what was asked (S2.4)."""

    status = 409
    code = "ILLEGAL_TRANSITION"
    template = _("%(what)s is %(state)s and cannot %(asked)s.")


class ChangedSinceYouLooked(RefusedError):
    """The object has moved on since the sender saw it; nothing was done."""

    status = 409
    code = "CHANGED_SINCE_YOU_LOOKED"
    template = _(
        "%(what)s has changed since you looked: it is now %(state)s. Look again, then decide."
    )


class TenantConflict(RefusedError):
    """Another task stands in the way of this one."""

    status = 409
    code = "TENANT_CONFLICT"
    template = _("Tenant %(tenant)s is already in an unfinished task. Finish or cancel that first.")


class ValidationFailed(RefusedError):
    """The validation chain found errors; `summary` holds all of them (S1.3)."""

    status = 422
    code = "VALIDATION_FAILED"
    template = _(
        "The plan was refused, and nothing was stored. Errors: %(errors)s "
        "(tenants or fields: %(subjects)s)."
    )

    def __init__(self, summary: Any) -> None:
        self.summary = summary
        super().__init__(errors=summary.error_count, subjects=summary.failed_subject_count)

    @property
    def details(self) -> list[Any]:
        return self.summary.as_json()


class DatabaseAway(RefusedError):
    """The database did not answer. Whether a command took effect must be looked up."""

    status = 503
    code = "DATABASE_UNAVAILABLE"
    template = _("The database does not answer now: look whether it happened, then try again.")


class RenewalRefused(RefusedError):
    """A renewal of keys is described wrongly, or in a way that could let them run out."""

    status = 422
    code = "RENEWAL_REFUSED"
    template = _("The renewal was refused: %(cause)s.")

    def __init__(self, *, faults: list[Any] | None = None, **values: Any) -> None:
        super().__init__(**values)
        self._faults = faults or []

    @property
    def details(self) -> list[Any]:
        return self._faults
