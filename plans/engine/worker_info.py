"""What a worker process says of itself in RQ's registry, where anybody may write."""

import functools
import logging
import math
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypedDict

from redis.exceptions import ResponseError
from rq.utils import as_text, utcparse

COUNT_MAX = 2**63 - 1
LEFT_OUT_MAX = 1000
"""So many of those that cannot be read are remembered, so as not to be named again."""

logger = logging.getLogger(__name__)


class WorkerInfo(TypedDict):
    """What a worker process last said of itself; `started_at` and `last_heartbeat` are in UTC.

    None: it did not say, because it is of another version or its machine has no /proc.
    """

    name: str
    hostname: str
    pid: int
    state: str
    threads: int
    busy: int
    done: int
    failed: int
    working_seconds: float
    cpu_seconds: float | None
    resident_bytes: float | None
    open_files: float | None
    started_at: datetime
    last_heartbeat: datetime


def info_or_none(key: bytes, fields: dict[bytes, bytes] | ResponseError) -> WorkerInfo | None:
    """What the hash at `key` says, as Redis gave it; None if that is nothing, or nothing of ours.

    What cannot be read is logged, once: pages look every second.
    """
    try:
        if isinstance(fields, ResponseError):  # It is no hash.
            raise fields
        # A killed worker stays in the set until the next one starts, but its hash ends with it; a
        # worker of another kind does not say how many threads it has.
        return _info(fields) if b"threads" in fields else None
    except (ResponseError, KeyError, ValueError) as error:
        _say_left_out(key, repr(error)[:200])
        return None


@functools.lru_cache(LEFT_OUT_MAX)
def _say_left_out(key: bytes, why: str) -> None:
    logger.warning("Worker %.100r in Redis cannot be read, it is left out: %s", key, why)


def _info(fields: dict[bytes, bytes]) -> WorkerInfo:
    said = {as_text(field): as_text(value) for field, value in fields.items()}
    return WorkerInfo(
        name=said["name"],
        hostname=said["hostname"],
        pid=_count(said["pid"]),
        state=said["state"],
        threads=_count(said["threads"]),
        busy=_count(said["busy"]),
        done=_count(said["successful_job_count"]),
        failed=_count(said["failed_job_count"]),
        working_seconds=_number(said["total_working_time"]),
        cpu_seconds=_number_if_said(said.get("cpu_seconds")),
        resident_bytes=_number_if_said(said.get("resident_bytes")),
        open_files=_number_if_said(said.get("open_files")),
        started_at=_moment(said["birth"]),
        last_heartbeat=_moment(said["last_heartbeat"]),
    )


def _count(said: str) -> int:
    number = int(said)
    if not 0 <= number <= COUNT_MAX:
        raise ValueError(f"no count: {said}")
    return number


def _number(said: str) -> float:
    number = float(said)
    if not math.isfinite(number):
        raise ValueError(f"no number: {said}")
    return number


def _number_if_said(said: str | None) -> float | None:
    return None if said is None else _number(said)


def _moment(said: str) -> datetime:
    moment = utcparse(said)
    # The first and the last year have moments that other time zones cannot tell.
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(f"no time: {said}")
    return moment
