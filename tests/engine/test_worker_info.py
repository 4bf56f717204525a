"""The registry of workers, where anybody who reaches Redis may write."""

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis
from rq.utils import utcformat

from plans.engine import queue, worker_info

GOOD: dict[str, object] = {
    "name": "good",
    "hostname": "here",
    "pid": 7,
    "state": "idle",
    "threads": 4,
    "busy": 1,
    "successful_job_count": 2,
    "failed_job_count": 0,
    "total_working_time": "1.5",
    "birth": utcformat(timezone.now() - timedelta(hours=1)),
    "last_heartbeat": utcformat(timezone.now()),
}


@pytest.fixture
def client(redis_server: str) -> Redis:
    with Redis.from_url(redis_server) as connection:
        yield connection


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of workers that cannot be read."""
    name = worker_info.logger.name
    return [record.getMessage() for record in caplog.records if record.name == name]


def register(client: Redis, key: str, **fields: object) -> None:
    client.sadd(queue.REGISTRY_KEY, key)
    client.hset(key, mapping={**GOOD, **fields})


@pytest.mark.parametrize(
    ("field", "junk"),
    [
        ("threads", "abc"),
        ("threads", 2**64),
        ("busy", -1),
        ("total_working_time", "nan"),
        ("cpu_seconds", "1e999"),
        ("birth", "yesterday"),
        ("last_heartbeat", "0001-01-01T00:00:00Z"),
        ("hostname", b"\xff"),
        (b"\xfe", "a field that is no text"),
    ],
)
def test_a_worker_that_cannot_be_read_is_left_out_and_named_once(
    field: str, junk: object, client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    key = f"rq:worker:{field!r} {junk!r}"[:90]
    register(client, "rq:worker:good")
    register(client, key)
    client.hset(key, field, junk)

    for _look in range(3):
        assert [worker["name"] for worker in queue.workers()] == ["good"]

    [said] = told(caplog)
    assert repr(key.encode()) in said


def test_what_is_no_worker_at_all_is_left_out(
    client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    register(client, "rq:worker:good")
    client.set("rq:worker:text", "x")
    client.hset("rq:worker:few fields", "threads", 3)
    keys = ["rq:worker:text", "rq:worker:few fields", "rq:worker:gone", b"rq:worker:\xff"]
    client.sadd(queue.REGISTRY_KEY, *keys)

    for _look in range(3):
        assert [worker["name"] for worker in queue.workers()] == ["good"]

    assert len(told(caplog)) == 2
