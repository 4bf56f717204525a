"""Real workers while the Redis of their queue fails them, or holds what is not theirs."""

import re
from pathlib import Path

import pytest
from pytest_django import Settings

from bluegreen.embedded_redis import EmbeddedRedis
from plans.engine import queue
from tests.engine.conftest import QUICK_SECONDS, Workers
from tests.support.processes import RunningProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes


def test_an_emptied_redis_sees_its_workers_again(workers: Workers) -> None:
    workers.start_here()
    [before] = wait_until(queue.workers)
    with queue.connect() as client:
        client.flushall()

    [after] = wait_until(queue.workers)
    queue.ring(1)
    workers.wait_for("ended", 1)

    assert after["name"] == before["name"]
    assert after["started_at"] == before["started_at"]


def said(worker: RunningProcess) -> list[str]:
    """What it has said of Redis, in order."""
    return re.findall("Redis is (away|back)", worker.log)


def test_a_worker_outlives_redis_and_says_so_once(
    workers: Workers, tmp_path: Path, settings: Settings
) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    settings.RQ_QUEUES = {"default": {"URL": server.url}}
    workers.hold()
    # It starts while Redis is away.
    worker = workers.start(REDIS_URL=server.url)
    worker.wait_for_log("Redis is away")
    try:
        server.ensure_running()
        worker.wait_for_log("Redis is back")
        client = queue.connect()
        queue.ring(1, connection=client)
        workers.wait_for("started", 1)

        server.stop()
        # On a busy machine it may have been away for a moment before.
        wait_until(lambda: len(said(worker)) > 2 and said(worker)[-1] == "away")
        workers.release()
        workers.wait_for("ended", 1)
        beats = len(workers.noted("beat"))
        workers.wait_for("beat", beats + 3)

        server.ensure_running()
        queue.ring(2, connection=client)
        workers.wait_for("ended", 2)
        [shown] = wait_until(lambda: queue.workers(connection=client))
    finally:
        server.stop()

    assert workers.task_ids("ended") == [1, 2]
    told = said(worker)
    assert told == (["away", "back"] * len(told))[: len(told)], "each once, in turn"
    assert shown["name"] == workers.noted("ready")[0]
    assert "Traceback" not in worker.log
    worker.terminate()
    assert worker.wait(QUICK_SECONDS) == 0


def test_a_worker_says_what_stands_in_the_place_of_its_queue_and_goes_on_once_it_is_gone(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    with queue.connect() as client:
        client.set(queue.QUEUE_KEY, "x")
        workers.start_here()
        wait_until(lambda: "delete it" in caplog.text)
        assert f"The key {queue.QUEUE_KEY} in Redis" in caplog.text
        assert "Redis is away" not in caplog.text
        client.delete(queue.QUEUE_KEY)
    queue.ring(1)
    workers.wait_for("ended", 1)
    assert caplog.text.count("delete it") == 1


def test_a_poisoned_queue_harms_nothing(workers: Workers, caplog: pytest.LogCaptureFixture) -> None:
    with queue.connect() as client:
        client.hset("rq:job:a", "data", b"not a job")
        client.hset("rq:job:b", "data", b"cos\nsystem\n(S'touch exploded'\ntR.")
        client.rpush(queue.QUEUE_KEY, "a", "b", "missing", b"\xff\x00")
    queue.ring(1)

    workers.start_here(threads=1)
    workers.wait_for("ended", 1)

    assert workers.task_ids("started") == [1]
    assert caplog.text.count("was refused") == 4
    assert "Traceback" not in caplog.text
