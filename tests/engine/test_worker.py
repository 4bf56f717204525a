"""Real workers: many tasks at once, and every way to stop and disturb them."""

import itertools

import pytest
from rq import Worker
from rq.suspension import resume, suspend

from plans.engine import presence, queue
from tests.engine.conftest import QUICK_SECONDS, Workers
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes

HEEDS_SIGNALS = "runs up to"
"""What a process prints once a SIGTERM no longer just ends it."""


def busy_now() -> int:
    return sum(worker["busy"] for worker in queue.workers())


def most_at_once(notes: list[list[str]]) -> int:
    steps = [{"started": 1, "ended": -1}.get(words[0], 0) for words in notes]
    return max(itertools.accumulate(steps))


def test_as_many_tasks_run_at_once_as_there_are_threads(workers: Workers) -> None:
    workers.hold()
    queue.ring_many(range(1, 11))

    workers.start_here(threads=4)
    workers.wait_for("started", 4)
    wait_until(lambda: busy_now() == 4)
    assert queue.queued_task_ids() == {5, 6, 7, 8, 9, 10}
    workers.release()
    workers.wait_for("ended", 10)

    assert sorted(workers.task_ids("ended")) == list(range(1, 11))
    assert most_at_once(workers.notes()) == 4


def test_a_worker_shows_itself_to_rq_and_to_our_pages(workers: Workers) -> None:
    workers.start_here(threads=3)
    workers.wait_for("ready", 1)
    [name] = workers.noted("ready")
    [shown] = wait_until(queue.workers)

    queue.ring_many([1, 2])
    workers.wait_for("ended", 2)
    wait_until(lambda: [worker["done"] for worker in queue.workers()] == [2])

    assert (shown["name"], shown["threads"], shown["state"]) == (name, 3, "idle")
    assert (shown["busy"], shown["failed"]) == (0, 0)
    assert shown["started_at"] <= shown["last_heartbeat"]
    with queue.connect() as client:
        [worker] = Worker.all(connection=client)
        assert (worker.name, worker.pid) == (name, shown["pid"])
        assert (worker.queue_names(), worker.get_state()) == (["default"], "idle")
        assert worker.successful_job_count == 2


def test_sigterm_lets_running_tasks_end_and_leaves_the_others_in_the_queue(
    workers: Workers,
) -> None:
    workers.hold()
    queue.ring_many(range(1, 21))
    worker = workers.start(threads=4, HEARTBEAT_SECONDS="0.05")
    workers.wait_for("started", 4)

    worker.terminate()
    workers.wait_for("stopping", 1)
    beats = len(workers.noted("beat"))
    workers.wait_for("beat", beats + 3)  # the leases of running tasks are still extended
    workers.release()

    assert worker.wait() == 0
    assert sorted(workers.task_ids("ended")) == [1, 2, 3, 4]
    assert queue.queued_task_ids() == set(range(5, 21))
    assert [words[0] for words in workers.notes() if words[0] not in ("beat", "progress")][-5:] == [
        *["ended"] * 4,
        "shutdown",
    ]
    assert queue.workers() == []


def test_a_note_of_progress_that_does_not_end_delays_no_heartbeat_and_no_leaving(
    workers: Workers,
) -> None:
    workers.stick()
    worker = workers.start(HEARTBEAT_SECONDS="0.05")
    workers.wait_for("beat", 3)
    assert workers.noted("progress") == []

    workers.unstick()
    workers.wait_for("progress", 3)
    workers.stick()
    worker.terminate()
    assert worker.wait() == 0


def test_sigterm_strands_no_task_while_rings_come_in(workers: Workers) -> None:
    rung: set[int] = set()
    for _ in range(3):
        worker = workers.start(threads=2)
        worker.wait_for_log(HEEDS_SIGNALS)
        seen = len(rung)
        while worker.is_running:
            rung.add(len(rung) + 1)
            queue.ring(len(rung))
            if len(rung) == seen + 50:
                worker.terminate()
        assert worker.exit_code == 0

    ended = workers.task_ids("ended")
    assert len(ended) == len(set(ended)) > 0
    assert set(ended) | queue.queued_task_ids() == rung
    assert set(ended).isdisjoint(queue.queued_task_ids())


def test_an_idle_worker_leaves_soon(workers: Workers) -> None:
    worker = workers.start()
    wait_until(queue.workers)

    worker.terminate()

    assert worker.wait(QUICK_SECONDS) == 0
    assert "Traceback" not in worker.log


def test_a_task_that_does_not_end_is_left_behind_after_the_grace_period(workers: Workers) -> None:
    workers.hold()
    queue.ring(1)
    worker = workers.start(grace_seconds=0.2)
    workers.wait_for("started", 1)

    worker.terminate()

    assert worker.wait(QUICK_SECONDS) == 1
    assert workers.noted("shutdown") == workers.noted("ready")
    assert workers.task_ids("ended") == []
    assert "leaves 1 task" in worker.log


def test_a_second_sigterm_ends_the_worker_at_once(workers: Workers) -> None:
    workers.hold()
    queue.ring(1)
    worker = workers.start(grace_seconds=60)
    workers.wait_for("started", 1)

    worker.terminate()
    workers.wait_for("stopping", 1)
    # Only a signal that comes a while after the first one is a second one.
    wait_until(lambda: worker.terminate() or not worker.is_running)

    assert worker.exit_code == 1
    assert workers.noted("shutdown") == []


def test_a_killed_worker_keeps_no_task_from_being_run_by_another(workers: Workers) -> None:
    workers.hold()
    queue.ring_many([1, 2, 3])
    first = workers.start(threads=2)
    workers.wait_for("started", 2)
    first.kill()
    workers.release()
    assert queue.queued_task_ids() == {3}

    queue.ring_many([1, 2, 3])
    workers.start(threads=2)
    workers.wait_for("ended", 3)

    assert sorted(workers.task_ids("ended")) == [1, 2, 3]


def test_a_killed_worker_is_soon_out_of_the_registry(workers: Workers) -> None:
    first = workers.start()
    wait_until(queue.workers)
    first.kill()
    [name] = workers.noted("ready")
    with queue.connect() as client:
        assert 0 < client.ttl(f"rq:worker:{name}") <= presence.TTL_SECONDS
        client.delete(f"rq:worker:{name}")  # that time is over

        second = workers.start_here()

        wait_until(lambda: Worker.all_keys(connection=client) == [f"rq:worker:{second.name}"])


def test_a_name_in_the_registry_that_is_no_text_disturbs_no_worker(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    with queue.connect() as client:
        client.sadd("rq:workers:default", b"rq:worker:\xfe")

    workers.start_here()
    [then] = wait_until(queue.workers)
    wait_until(lambda: queue.workers()[0]["last_heartbeat"] > then["last_heartbeat"])

    assert "Traceback" not in caplog.text


def test_a_worker_killed_while_it_waits_takes_no_task_with_it(workers: Workers) -> None:
    frozen = workers.start()
    wait_until(queue.workers)
    frozen.freeze()
    queue.ring(1)
    frozen.kill()

    assert queue.queued_task_ids() == {1}


def test_a_task_that_breaks_out_loses_no_place_for_the_next_one(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    for task_id in (1, 2, 3):
        workers.break_task(task_id)
    queue.ring_many([1, 2, 3, 4])

    workers.start_here(threads=1)
    workers.wait_for("ended", 1)

    assert workers.task_ids("ended") == [4]
    assert caplog.text.count("broke out of its run") == 3
    wait_until(lambda: [worker["failed"] for worker in queue.workers()] == [3])


def test_a_suspended_worker_takes_no_tasks_until_it_is_resumed(workers: Workers) -> None:
    with queue.connect() as client:
        suspend(client)
        workers.start_here()
        wait_until(lambda: [worker["state"] for worker in queue.workers()] == ["suspended"])
        # What it had begun to wait for before it knew, it would still take.
        wait_until(lambda: client.info("clients")["blocked_clients"] == 0)
        queue.ring(1)
        [then] = queue.workers()
        wait_until(lambda: queue.workers()[0]["last_heartbeat"] > then["last_heartbeat"])
        assert queue.queued_task_ids() == {1}
        resume(client)

    workers.wait_for("ended", 1)
