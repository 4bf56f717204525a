"""The taking side of the queue: out of what lies in Redis come task ids, and nothing else.

RQ would first move a job's id to another list, and forget it there if the worker dies. Here the
wait takes nothing away (it moves the head of the queue to the head of the queue), and the take is
one script: id and hash leave together. So a killed worker loses at most the rings that its free
threads were about to answer, and a task that is rung while it runs is simply queued again.
"""

import json
import logging
import zlib

from redis import Redis
from rq.job import Job

from plans.engine.queue import FUNCTION_NAME, QUEUE_KEY, is_task_id

DATA_MAX_BYTES = 4096

TAKE_SCRIPT = """
-- KEYS: the queue. ARGV: the prefix of the jobs' hashes, how long their data may be, how many.
local taken = {}
for _ = 1, tonumber(ARGV[3]) do
    local id = redis.call('LPOP', KEYS[1])
    if not id then
        break
    end
    local key = ARGV[1] .. id
    local data = redis.pcall('HGET', key, 'data')
    redis.call('DEL', key)
    local fits = type(data) == 'string' and #data <= tonumber(ARGV[2])
    taken[#taken + 1] = {id, fits and data}
end
return taken
"""

logger = logging.getLogger(__name__)


class PoisonedJob(Exception):
    """An entry of the queue that is not one of ours. It is dropped; nothing in it is executed."""


class Intake:
    """Takes tasks from the queue. For one thread; raises `redis.exceptions.RedisError`."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._script = connection.register_script(TAKE_SCRIPT)

    def take(self, wait_seconds: int, most: int = 1) -> list[int]:
        """The ids of the next tasks, at most so many; none where there were none."""
        taken = self._take(most)
        if not taken and self._wait(wait_seconds):
            taken = self._take(most)
        task_ids = []
        for job_id, data in taken:
            try:
                task_ids.append(task_id_of(data))
            except PoisonedJob as refused:
                logger.warning("Job %.100r in the queue was refused: %s.", job_id, refused)
        return task_ids

    def _take(self, most: int) -> list[tuple[bytes, bytes | None]]:
        return self._script([QUEUE_KEY], [Job.redis_job_namespace_prefix, DATA_MAX_BYTES, most])

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
            if function == FUNCTION_NAME and not kwargs and is_task_id(task_id):
                return task_id
    raise PoisonedJob(f"it does not call {FUNCTION_NAME} with one task id")
