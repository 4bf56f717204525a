"""The taking side of the queue: out of what lies in Redis comes the next task id, and nothing else.

RQ would first move a job's id to another list, and forget it there if the worker dies. Here the
wait takes nothing away (it moves the head of the queue to the head of the queue), and the take is
one script: id and hash leave together. So a killed worker loses at most one ring, and a task that
is rung while it runs is simply queued again.
"""

import json
import logging
import zlib

from redis import Redis
from rq.job import Job

from plans.engine.queue import FUNCTION_NAME, QUEUE_KEY

DATA_MAX_BYTES = 4096

TAKE_SCRIPT = """
-- KEYS: the queue. ARGV: the prefix of the jobs' hashes, how long their data may be.
local id = redis.call('LPOP', KEYS[1])
if not id then
    return false
end
local key = ARGV[1] .. id
local data = redis.pcall('HGET', key, 'data')
redis.call('DEL', key)
return {id, type(data) == 'string' and #data <= tonumber(ARGV[2]) and data}
"""

logger = logging.getLogger(__name__)


class PoisonedJob(Exception):
    """An entry of the queue that is not one of ours. It is dropped; nothing in it is executed."""


class Intake:
    """Takes tasks from the queue. For one thread; raises `redis.exceptions.RedisError`."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._script = connection.register_script(TAKE_SCRIPT)

    def take(self, wait_seconds: int) -> int | None:
        """The id of the next task; None if there was none, or none that may be run."""
        taken = self._take()
        if taken is None and self._wait(wait_seconds):
            taken = self._take()
        if taken is None:
            return None
        job_id, data = taken
        try:
            return task_id_of(data)
        except PoisonedJob as refused:
            logger.warning("Job %.100r in the queue was refused: %s.", job_id, refused)
            return None

    def _take(self) -> tuple[bytes, bytes | None] | None:
        return self._script([QUEUE_KEY], [Job.redis_job_namespace_prefix, DATA_MAX_BYTES])

    def _wait(self, seconds: int) -> bool:
        moved = self._connection.blmove(QUEUE_KEY, QUEUE_KEY, seconds, "LEFT", "LEFT")
        return moved is not None


def task_id_of(data: bytes | None) -> int:
    """The task id in a job's data: `["plans.engine.jobs.run_task", null, [id], {}]`, zipped.

    Raises `PoisonedJob`. Reads JSON only and imports nothing: a pickle is never opened.
    """
    if data is None:
        raise PoisonedJob("its hash is missing, or what it holds is no job")
    try:
        unpacker = zlib.decompressobj()
        call = json.loads(unpacker.decompress(data, DATA_MAX_BYTES))
    except (zlib.error, ValueError, RecursionError) as error:
        raise PoisonedJob("it is not zipped JSON") from error
    match call:
        case [function, None, [task_id], dict(kwargs)]:
            # `type` and not isinstance: True is an int, too.
            if function == FUNCTION_NAME and not kwargs and type(task_id) is int and task_id > 0:
                return task_id
    raise PoisonedJob(f"it does not call {FUNCTION_NAME} with one task id")
