"""Whether this process finds what Bluegreen needs: the database, Redis, a conductor; how soon."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.db import Error, connection
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from plans import conf
from plans.engine.clock import in_seconds
from plans.engine.queue import NOT_OURS, QUEUE_KEY, is_wrong_type
from plans.engine.single_flight import SingleFlight
from plans.models import Leadership

DATABASE, REDIS, CONDUCTOR = "database", "redis", "conductor"
TENANT_REDIS = "tenant redis"


def missing() -> dict[str, str]:
    """What does not answer, each with what to look at; empty when all is there. Never raises.

    Takes `READY_TIMEOUT_SECONDS` at most, twice at the very worst. The texts name no address:
    whoever may ask is not signed in.
    """
    faults: dict[str, str] = {}
    try:
        if not _conductor_seen.answer(conf.READY_TIMEOUT_SECONDS):
            faults[CONDUCTOR] = (
                f"No conductor was seen for {conf.CONDUCTOR_SEEN_SECONDS:g} s: parked tasks wait. "
                "Start `manage.py conductor`."
            )
    except (Error, TimeoutError):
        faults[DATABASE] = "The database does not answer, or was not migrated."
        faults[CONDUCTOR] = "Only the database knows."
    try:
        _queue_answers.answer(conf.READY_TIMEOUT_SECONDS)
    except (RedisError, TimeoutError) as error:
        faults[REDIS] = "Redis does not answer: no new tasks are picked up until it does."
        if is_wrong_type(error):
            faults[REDIS] = NOT_OURS % {"key": QUEUE_KEY}
    return faults


def latencies() -> dict[str, float | None]:
    """Milliseconds until each store answered the least question, now; None: it did not.

    With one Redis for both, it stands there once. Both are asked at the same time, and waited for
    `READY_TIMEOUT_SECONDS` at most.
    """
    urls = {REDIS: settings.REDIS_URL}
    if settings.TENANT_REDIS_URL != settings.REDIS_URL:
        urls[TENANT_REDIS] = settings.TENANT_REDIS_URL
    asked = {name: _client(url).ping for name, url in urls.items()}
    with ThreadPoolExecutor(len(asked)) as threads:
        pings = dict(zip(asked, threads.map(_milliseconds, asked.values()), strict=True))
    return {DATABASE: _milliseconds(_select_one), **pings}


def _milliseconds(ask: Callable[[], object]) -> float | None:
    began = time.perf_counter()
    try:
        ask()
    except (Error, RedisError):
        return None
    return (time.perf_counter() - began) * 1000


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _is_conductor_seen() -> bool:
    lately = in_seconds(-conf.CONDUCTOR_SEEN_SECONDS)
    return Leadership.objects.filter(role="conductor", seen_at__gte=lately).exists()


def _length_of_queue() -> int:
    return _client(settings.REDIS_URL).llen(QUEUE_KEY)


@cache
def _client(url: str) -> Redis:
    # Who asks gives up soon; the shared client is patient, and tries again.
    return Redis.from_url(
        url,
        socket_timeout=conf.READY_TIMEOUT_SECONDS,
        socket_connect_timeout=conf.READY_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


_conductor_seen = SingleFlight(_is_conductor_seen)
_queue_answers = SingleFlight(_length_of_queue)
