"""Service notification. Importing the package registers the built-in strategies."""

from plans.notify import direct_rpc, redis_rpc, registry
from plans.notify.base import Notice, NotifyResult, Recipient, Strategy
from plans.notify.services import BadServices, Service, configured
from plans.notify.telling import tell

__all__ = [
    "BadServices",
    "Notice",
    "NotifyResult",
    "Recipient",
    "Service",
    "Strategy",
    "configured",
    "direct_rpc",
    "redis_rpc",
    "registry",
    "tell",
]
