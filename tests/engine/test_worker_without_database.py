"""A worker that cannot reach the database does not swallow what others could run."""

from pathlib import Path

import pytest

from plans.engine import queue
from tests.engine.conftest import Workers
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes


def test_a_worker_without_a_database_takes_no_tasks_until_it_is_back(
    workers: Workers, tmp_path: Path
) -> None:
    folder = tmp_path / "not there yet"
    workers.ask_the_database()
    queue.ring_many([1, 2, 3])
    worker = workers.start(
        threads=1, DATABASE_URL=f"sqlite:///{folder}/db.sqlite3", HEARTBEAT_SECONDS="0.05"
    )
    worker.wait_for_log("The database is away")
    beats = len(workers.noted("beat"))
    workers.wait_for("beat", beats + 3)
    [shown] = wait_until(queue.workers)

    assert queue.queued_task_ids() == {2, 3}
    folder.mkdir()
    workers.wait_for("ended", 2)

    assert workers.task_ids("ended") == [2, 3]
    assert worker.log.count("The database is away") == 1
    assert worker.log.count("The database is back") == 1
    assert "Traceback" not in worker.log
    assert shown["name"] == workers.noted("ready")[0]
