"""The queue: rings, and what comes out of it."""

import json
import pickle
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from plans.engine import queue
from plans.engine.intake import Intake
from plans.engine.jobs import run_task
from plans.errors import RedisUnavailable
from tests.support.waiting import WAIT_SECONDS, wait_until

NO_WAIT = 1  # second: the shortest that Redis is asked for


@pytest.fixture
def client() -> Iterator[Redis]:
    with queue.connect() as connection:
        yield connection


@pytest.fixture
def intake(client: Redis) -> Intake:
    return Intake(client)


def zipped(*call: object) -> bytes:
    return zlib.compress(json.dumps(call).encode())


def test_a_task_that_is_rung_waits_in_the_queue() -> None:
    queue.ring(7)

    assert queue.queued_task_ids() == {7}
    assert queue.depth() == 1


def test_a_task_that_is_rung_often_is_queued_once_and_keeps_its_place(intake: Intake) -> None:
    queue.ring_many([1, 2, 1])
    queue.ring(1)

    assert queue.depth() == 2
    assert intake.take(NO_WAIT, 3) == [1, 2]


def test_many_rings_keep_their_order(intake: Intake) -> None:
    queue.ring_many(range(1, 101))

    assert intake.take(NO_WAIT) == [1]
    assert intake.take(NO_WAIT, 200) == list(range(2, 101))


def test_no_rings_at_all_are_no_error() -> None:
    queue.ring_many([])

    assert queue.depth() == 0


def test_a_task_that_is_rung_while_it_runs_is_queued_again(intake: Intake) -> None:
    queue.ring(1)
    assert intake.take(NO_WAIT) == [1]

    queue.ring(1)

    assert queue.queued_task_ids() == {1}


def test_a_task_can_be_rung_again_after_redis_was_emptied(client: Redis) -> None:
    queue.ring(1)
    client.flushall()

    assert queue.queued_task_ids() == set()
    queue.ring(1)

    assert queue.queued_task_ids() == {1}


def test_a_hash_that_was_left_behind_does_not_keep_its_task_out(client: Redis) -> None:
    queue.ring(1)
    client.delete(queue.QUEUE_KEY)

    queue.ring(1)

    assert queue.queued_task_ids() == {1}


def test_a_place_without_its_hash_runs_the_task_once_when_it_is_rung_again(
    client: Redis, intake: Intake
) -> None:
    queue.ring(1)
    client.delete("rq:job:task-1")
    queue.ring(1)

    assert [intake.take(NO_WAIT), intake.take(NO_WAIT)] == [[1], []]
    assert queue.depth() == 0


def test_a_taken_task_leaves_nothing_behind_in_redis(client: Redis, intake: Intake) -> None:
    queue.ring(1)

    intake.take(NO_WAIT)

    assert client.keys("*") == [b"rq:queues"]


def test_rq_reads_a_rung_task_as_a_job_of_its_own(client: Redis) -> None:
    queue.ring(12)

    job = Job.fetch("task-12", connection=client, serializer=JSONSerializer)

    assert (job.func_name, job.args, job.kwargs) == ("plans.engine.jobs.run_task", [12], {})
    assert (job.get_status(), job.origin) == (JobStatus.QUEUED, "default")
    assert (job.result_ttl, job.failure_ttl, job.timeout) == (0, 86_400, -1)
    assert Queue.all(connection=client) == [Queue("default", connection=client)]


def test_jobs_of_others_are_not_taken_for_tasks(client: Redis) -> None:
    client.rpush(queue.QUEUE_KEY, "somebody", "task-", "task-x", b"\xff", "task-5", "task-0")

    assert queue.queued_task_ids() == {5}
    assert queue.depth() == 6


def test_the_ids_that_are_taken_are_those_that_are_seen_in_the_queue(
    client: Redis, intake: Intake
) -> None:
    queue.ring_many([10**18, 2**63 - 1, 2**63, 10**30])

    assert queue.queued_task_ids() == {10**18, 2**63 - 1}
    assert intake.take(NO_WAIT, 4) == [10**18, 2**63 - 1]


def test_a_wait_ends_when_a_task_is_rung(client: Redis) -> None:
    taken: list[list[int]] = []
    with queue.connect(2 * WAIT_SECONDS) as patient:
        intake = Intake(patient)
        waiting = threading.Thread(target=lambda: taken.append(intake.take(int(WAIT_SECONDS))))
        waiting.start()
        wait_until(lambda: client.info("clients")["blocked_clients"] == 1)

        queue.ring(3)
        waiting.join(WAIT_SECONDS)

    assert taken == [[3]]


def test_an_empty_queue_gives_nothing(intake: Intake) -> None:
    assert intake.take(NO_WAIT) == []


@pytest.mark.parametrize(
    "data",
    [
        b"not zipped",
        zlib.compress(b"not JSON"),
        zlib.compress(b"[" * 4000),
        zlib.compress(b" " * 10_000_000),
        b"x" * 10_000,
        zipped("os.system", None, ["true"], {}),
        zipped("os.system", None, [1], {}),
        zipped("plans.engine.jobs.run_task", "instance", [1], {}),
        zipped("plans.engine.jobs.run_task", None, [1], {"more": 1}),
        zipped("plans.engine.jobs.run_task", None, [1, 2], {}),
        zipped("plans.engine.jobs.run_task", None, [], {}),
        zipped("plans.engine.jobs.run_task", None, ["1"], {}),
        zipped("plans.engine.jobs.run_task", None, [True], {}),
        zipped("plans.engine.jobs.run_task", None, [-1], {}),
        zipped("plans.engine.jobs.run_task", None, [2**63], {}),
        zipped("plans.engine.jobs.run_task", None, [10**30], {}),
        zipped("plans.engine.jobs.run_task", None, [1.5], {}),
        zipped("plans.engine.jobs.run_task", None, 1, {}),
        zipped("plans.engine.jobs.run_task"),
        zipped({"plans.engine.jobs.run_task": 1}),
    ],
)
def test_a_poisoned_job_is_refused_and_the_next_one_taken(
    data: bytes, client: Redis, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    client.hset("rq:job:poison", "data", data)
    client.rpush(queue.QUEUE_KEY, "poison")
    queue.ring(1)

    assert intake.take(NO_WAIT, 2) == [1]
    assert "b'poison' in the queue was refused" in caplog.text
    assert not client.exists("rq:job:poison")


def test_a_pickle_in_the_queue_is_not_opened(client: Redis, intake: Intake, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "exploded",))

    for number, data in enumerate([pickle.dumps(Bomb()), zlib.compress(pickle.dumps(Bomb()))]):
        client.hset(f"rq:job:{number}", "data", data)
        client.rpush(queue.QUEUE_KEY, number)

    assert intake.take(NO_WAIT, 2) == []
    assert not (tmp_path / "exploded").exists()


def test_a_job_without_a_hash_or_with_something_else_in_its_place_is_refused(
    client: Redis, intake: Intake
) -> None:
    client.set("rq:job:text", "no hash")
    client.rpush(queue.QUEUE_KEY, "missing", "text", b"\xff\x00", "")
    queue.ring(1)

    assert intake.take(NO_WAIT, 5) == [1]


def test_redis_that_is_away_is_named_as_such(settings: Settings) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "unix:///nowhere/redis.sock"}}
    away = queue.connect()

    with pytest.raises(RedisUnavailable, match=r"Redis cannot be reached: .*nowhere"):
        queue.ring(1, connection=away)
    with pytest.raises(RedisUnavailable):
        queue.ring_many([1, 2], connection=away)
    with pytest.raises(RedisUnavailable):
        queue.queued_task_ids(connection=away)
    with pytest.raises(RedisUnavailable):
        queue.depth(connection=away)
    with pytest.raises(RedisUnavailable):
        queue.workers(connection=away)


@pytest.mark.parametrize("key", [queue.QUEUE_KEY, queue.REGISTRY_KEY])
def test_a_key_that_holds_something_else_is_named_with_what_to_do(client: Redis, key: str) -> None:
    client.set(key, "x")
    calls = [queue.workers] if key == queue.REGISTRY_KEY else [queue.depth, queue.queued_task_ids]
    calls += [lambda: queue.ring(1), lambda: queue.ring(1)] if key == queue.QUEUE_KEY else []

    for call in calls:
        with pytest.raises(RedisUnavailable, match=f"The key {key} in Redis .* delete it"):
            call()
    assert client.get(key) == b"x"


def test_a_task_is_not_run_outside_of_our_worker() -> None:
    with pytest.raises(RuntimeError, match=r"manage\.py worker"):
        run_task(1)
