"""The ringing side of the queue: tell the workers to look at a task.

A ring may be lost at any time, the conductor rings again. Job ids are `task-<id>`. RQ's own two
ways to enqueue do not fit: the plain one puts a task into the queue a second time, and
`unique=True` refuses for ever once a job's hash is left behind without its place in the queue.
The script below counts a task as queued only when both are there.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeGuard, cast

from django.utils.translation import gettext_noop as _
from django_rq import get_connection
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from plans import conf
from plans.engine.jobs import run_task
from plans.engine.worker_info import WorkerInfo, info_or_none
from plans.errors import RedisUnavailable

QUEUE_NAME = "default"
QUEUE_KEY = f"{Queue.redis_queue_namespace_prefix}{QUEUE_NAME}"
REGISTRY_KEY = WORKERS_BY_QUEUE_KEY % QUEUE_NAME
FUNCTION_NAME = f"{run_task.__module__}.{run_task.__qualname__}"
FAILURE_TTL_SECONDS = 24 * 60 * 60
CONNECTIONS_MAX = 64
TASK_ID_MAX = 2**63 - 1

NOT_OURS = _(
    "The key %(key)s in Redis holds something else than what belongs there: delete it, and it is "
    "made anew. Nothing is lost."
)

RING_SCRIPT = """
-- KEYS: the job's hash, the queue, the set of all queues. ARGV: the job's id, then its fields.
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('LPOS', KEYS[2], ARGV[1]) then
    return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], KEYS[2])
return 1
"""


def connect(timeout_seconds: float = conf.REDIS_TIMEOUT_SECONDS, *, retries: int = 1) -> Redis:
    """A client of its own for the Redis that `RQ_QUEUES` names.

    One retry, at once, because a pooled connection is stale after Redis has been restarted; not
    more, because who rings must not wait.
    """
    pool = get_connection(QUEUE_NAME).connection_pool
    limits = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), retries),
    }
    return Redis(
        connection_pool=ConnectionPool(
            connection_class=pool.connection_class,
            max_connections=CONNECTIONS_MAX,
            **{**pool.connection_kwargs, **limits},
        )
    )


@functools.cache
def impatient(timeout_seconds: float) -> Redis:
    """The process's client for who looks only: it waits so long for an answer, and once."""
    return connect(timeout_seconds, retries=0)


def ring(task_id: int, *, connection: Redis | None = None) -> None:
    """Put a task into the queue, once; a task that is queued already keeps its place.

    Raises `RedisUnavailable`. Takes effect at once: ring after the commit, never in a transaction.
    """
    with _redis(connection) as client:
        client.register_script(RING_SCRIPT)(*_keys_and_arguments(task_id, client))


def ring_many(task_ids: Iterable[int], *, connection: Redis | None = None) -> None:
    """`ring()` for many tasks, in their order, in one pipeline."""
    with _redis(connection) as client, client.pipeline(transaction=False) as pipeline:
        script = client.register_script(RING_SCRIPT)
        for task_id in task_ids:
            script(*_keys_and_arguments(task_id, client), client=pipeline)
        pipeline.execute()


def queued_task_ids(*, connection: Redis | None = None) -> set[int]:
    """The ids of the tasks whose jobs wait in the queue now. Raises `RedisUnavailable`."""
    with _redis(connection) as client:
        job_ids = cast("list[bytes]", client.lrange(QUEUE_KEY, 0, -1))
    found = (re.fullmatch(rb"task-([0-9]{1,19})", job_id) for job_id in job_ids)
    return {task_id for match in found if match and is_task_id(task_id := int(match[1]))}


def depth(*, connection: Redis | None = None) -> int:
    """How many jobs wait in the queue. Raises `RedisUnavailable`."""
    with _redis(connection) as client:
        return client.llen(QUEUE_KEY)


def workers(*, connection: Redis | None = None) -> list[WorkerInfo]:
    """The worker processes that are alive, by name. Raises `RedisUnavailable`.

    What somebody else has put among them, and cannot be read, is left out.
    """
    asked = _redis(connection, REGISTRY_KEY)
    with asked as client, client.pipeline(transaction=False) as pipeline:
        keys = sorted(cast("set[bytes]", client.smembers(REGISTRY_KEY)))
        for key in keys:
            pipeline.hgetall(key)
        hashes = pipeline.execute(raise_on_error=False)
    found = (info_or_none(key, fields) for key, fields in zip(keys, hashes, strict=True))
    return [info for info in found if info is not None]


def is_task_id(value: object) -> TypeGuard[int]:
    """Whether the database could hold a task of this id."""
    # `type` and not isinstance: True is an int, too.
    return type(value) is int and 0 < value <= TASK_ID_MAX


def is_wrong_type(error: Exception) -> bool:
    """Whether Redis answered that a key holds something of another type than was asked for."""
    # From a script it comes with more words, before and behind.
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


@functools.cache
def _client() -> Redis:
    return connect()


@contextmanager
def _redis(connection: Redis | None, key: str = QUEUE_KEY) -> Iterator[Redis]:
    try:
        yield connection or _client()
    except RedisError as error:
        if is_wrong_type(error):
            raise RedisUnavailable(NOT_OURS, key=key) from error
        raise RedisUnavailable(cause=str(error)) from error


def _keys_and_arguments(task_id: int, client: Redis) -> tuple[list[str], list[Any]]:
    job = Job.create(
        FUNCTION_NAME,
        args=[task_id],
        id=f"task-{task_id}",
        description=f"Task {task_id}",
        connection=client,
        serializer=JSONSerializer,
        origin=QUEUE_NAME,
        status=JobStatus.QUEUED,
        timeout=-1,
        result_ttl=0,
        failure_ttl=FAILURE_TTL_SECONDS,
    )
    job.enqueued_at = now()
    fields = chain.from_iterable(job.to_dict(include_meta=False).items())
    return [job.key, QUEUE_KEY, Queue.redis_queues_keys], [job.id, *fields]
