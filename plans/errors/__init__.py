"""The whole error tree. Each error says what happened, whether retrying helps and what to do.

Two families: a `RefusedError` answers a person or a script that asked for something that cannot
be done now; a `StageError` is how a stage of a pipeline fails.
"""

from plans.errors.base import (
    AppendOnly,
    BluegreenError,
)
from plans.errors.failures import (
    AckError,
    AckMismatch,
    AckTimeout,
    EndpointForbidden,
    FailureKind,
    HealthCheckFailed,
    RedisUnavailable,
    ServiceBadAnswer,
    ServiceError,
    ServiceRejected,
    ServiceTimeout,
    ServiceUnavailable,
    ServiceUnreachable,
    StageError,
    StaleVersion,
    TenantUnknown,
)
from plans.errors.refusals import (
    ChangedSinceYouLooked,
    DatabaseAway,
    FourEyes,
    IllegalTransition,
    MalformedRequest,
    NotFound,
    PermissionRefused,
    RefusedError,
    RenewalRefused,
    RequestTooLarge,
    TenantConflict,
    ValidationFailed,
)
from plans.errors.superseded import (
    Superseded,
)

__all__ = [
    "AckError",
    "AckMismatch",
    "AckTimeout",
    "AppendOnly",
    "BluegreenError",
    "ChangedSinceYouLooked",
    "DatabaseAway",
    "EndpointForbidden",
    "FailureKind",
    "FourEyes",
    "HealthCheckFailed",
    "IllegalTransition",
    "MalformedRequest",
    "NotFound",
    "PermissionRefused",
    "RedisUnavailable",
    "RefusedError",
    "RenewalRefused",
    "RequestTooLarge",
    "ServiceBadAnswer",
    "ServiceError",
    "ServiceRejected",
    "ServiceTimeout",
    "ServiceUnavailable",
    "ServiceUnreachable",
    "StageError",
    "StaleVersion",
    "Superseded",
    "TenantConflict",
    "TenantUnknown",
    "ValidationFailed",
]
