"""The process's client of the tenants' Redis, shared by its threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from plans import conf
from plans.errors import RedisUnavailable

HEALTH_CHECK_SECONDS = 30
RETRIES = 1
RETRY_SECONDS = 0.05


def tenant_redis() -> Redis:
    """The Redis that holds tenants' configuration. Answers are bytes."""
    return _client(settings.TENANT_REDIS_URL)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn every error of Redis into RedisUnavailable; a context manager and a decorator."""
    try:
        yield
    except RedisError as error:
        raise RedisUnavailable(cause=str(error).rstrip(".") or type(error).__name__) from error


@cache
def _client(url: str) -> Redis:
    # The library's own limits change between versions, so each is given.
    return Redis.from_url(
        url,
        socket_timeout=conf.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=conf.REDIS_TIMEOUT_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
        max_connections=conf.REDIS_CONNECTIONS_MAX,
        retry=Retry(ConstantBackoff(RETRY_SECONDS), RETRIES),
        decode_responses=False,
        protocol=2,
    )
