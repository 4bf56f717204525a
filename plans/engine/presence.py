"""How a worker process shows itself: in RQ's registry, for `rq info`, django-rq and our pages."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis import Redis
from rq import worker_registration
from rq.suspension import WORKERS_SUSPENDED
from rq.worker import BaseWorker

INTERVAL_SECONDS = 1.0
TTL_SECONDS = 15
"""A worker that was killed is gone from the registry after this long."""


class Presence:
    """Writes all that a worker says of itself, so that it is there again after FLUSHALL."""

    def __init__(
        self, worker: BaseWorker, connection: Redis, figures: Callable[[], dict[Any, Any]]
    ) -> None:
        self._worker = worker
        self._connection = connection
        self._figures = figures
        self.is_suspended = False
        """Whether somebody has called `rq suspend`: then no worker takes jobs."""
        self._has_tidied = False

    def announce(self) -> None:
        """Say once more that the worker is alive. Raises `redis.exceptions.RedisError`."""
        with self._connection.pipeline() as pipeline:
            pipeline.hset(self._worker.key, mapping=self._worker.serialize())
            pipeline.hset(self._worker.key, mapping=self._figures())
            pipeline.expire(self._worker.key, TTL_SECONDS)
            worker_registration.register(self._worker, pipeline)
            pipeline.exists(WORKERS_SUSPENDED)
            self.is_suspended = bool(pipeline.execute()[-1])
        if not self._has_tidied:
            # The killed ones of before: their hashes have ended, their names stay in the sets.
            # RQ gives up at a name that is no text; then they do no harm there.
            with suppress(UnicodeDecodeError):
                worker_registration.clean_worker_registry(self._worker.queues[0])
            self._has_tidied = True

    def withdraw(self) -> None:
        """Say that the worker is no more. Raises `redis.exceptions.RedisError`."""
        with self._connection.pipeline() as pipeline:
            worker_registration.unregister(self._worker, pipeline)
            pipeline.delete(self._worker.key)
            pipeline.execute()
