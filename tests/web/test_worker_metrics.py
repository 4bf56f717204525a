"""What each worker process says of itself reaches Prometheus through the web process."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from redis import Redis

from plans import operations
from plans.engine import queue
from plans.models import ApiToken, Plan
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import START_SECONDS, Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Figures = dict[str, dict[str, float]]
OF_EACH = {
    "threads",
    "threads_busy",
    "start_time_seconds",
    "resident_memory_bytes",
    "open_fds",
    "working_seconds_total",
    "cpu_seconds_total",
}
LATER = {"cpu_seconds_total", "resident_memory_bytes", "open_fds"}


@pytest.fixture
def figures() -> Callable[[], Figures]:
    """What is known of each worker, by its name: `runs_total done`, `cpu_seconds_total`, …"""
    user = User.objects.create_user("prometheus")
    user.groups.add(Group.objects.get(name="viewer"))
    prometheus = Client(headers={"Authorization": f"Bearer {ApiToken.issue(user)}"})

    def read() -> Figures:
        found: Figures = {}
        text = prometheus.get("/metrics").text
        for name, labels, value in re.findall(
            r"^bluegreen_worker_process_(\w+)\{(.*)\} (\S+)$", text, re.MULTILINE
        ):
            label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            each = f"{name} {label['outcome']}" if "outcome" in label else name
            found.setdefault(label["worker"], {})[each] = float(value)
        return found

    return read


def test_each_worker_tells_what_it_did_and_what_it_costs(
    processes: Processes, sandbox: Sandbox, redis_server: str, figures: Callable[[], Figures]
) -> None:
    workers = [processes.worker(WORKER_THREADS="3") for _ in range(2)]
    processes.conductor()
    wait_until(lambda: len(figures()) == 2, START_SECONDS)
    plan = make_plan([f"tenant-00{n}" for n in range(1, 6)])
    operations.start_plan(plan.pk, OPERATOR)
    wait_until(lambda: Plan.objects.get(pk=plan.pk).state == "COMPLETED", START_SECONDS)
    wait_until(lambda: sum(each["runs_total done"] for each in figures().values()) >= 5)
    for worker, each in figures().items():
        assert int(worker.split(":")[1]) in {process.pid for process in workers}
        assert set(each) == OF_EACH | {"runs_total done", "runs_total broken"}
        assert (each["threads"], each["runs_total broken"]) == (3, 0)
        assert each["resident_memory_bytes"] > 10_000_000
        assert each["open_fds"] > 3
        assert each["cpu_seconds_total"] > 0
    assert sum(each["working_seconds_total"] for each in figures().values()) > 0
    # A frozen one says no more; what it said is as if it were of an earlier version.
    workers[0].freeze()
    [key] = [f"rq:worker:{w['name']}" for w in queue.workers() if w["pid"] == workers[0].pid]
    with Redis.from_url(redis_server) as redis:
        redis.hdel(key, "cpu_seconds", "resident_bytes", "open_files")
        redis.persist(key)  # Or it would end before a slow machine has looked.
    less = [each for worker, each in figures().items() if key.endswith(worker)]
    assert [OF_EACH - set(each) for each in less] == [LATER]
    workers[0].thaw()
    for process in workers:
        process.terminate()
    for process in workers:
        process.wait()  # One that was killed would leave its figures behind.
    assert figures() == {}
