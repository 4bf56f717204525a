"""Which Redis servers renewals may name, and how they are reached."""

from collections.abc import Callable

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from plans import conf

CLIENTS: dict[str, Callable[[], Redis]] = {
    "bluegreen": lambda: connect(settings.REDIS_URL),
    "tenants": lambda: connect(settings.TENANT_REDIS_URL),
}


def connect(url: str) -> Redis:
    """A client whose every call ends soon: what is not answered is sent again later anyway."""
    return Redis.from_url(
        url,
        socket_timeout=conf.RENEWAL_TIMEOUT_SECONDS,
        socket_connect_timeout=conf.RENEWAL_TIMEOUT_SECONDS,
        max_connections=conf.REDIS_CONNECTIONS_MAX,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        protocol=2,
    )
