"""The task's page shows its instances while the delivery waits for them."""

import pytest
from django.test import Client

from plans import operations
from plans.engine import executor
from plans.engine.clock import in_seconds
from plans.models import StageRun, Task
from plans.queries.instances import InstanceRow, Instances, instances_of
from plans.queries.task_page import stage_runs
from plans.stores import doorbell
from tests.live.sockets import Sockets
from tests.support.driving import OPERATOR, WORKER, make_plan
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TENANT = "tenant-001"
SILENT = "INSTANCE_UNREACHABLE"
# A second is long enough to be parked for.
PARAMETERS = {
    "deliver_config": {"retry": "fixed", "poll_seconds": 1.0, "ack_timeout_seconds": 600.0}
}


@pytest.fixture
def waiting(sandbox: Sandbox) -> Task:
    """A task that is parked: of its instances one is well, one is behind, one does not answer."""
    sandbox.add_fault(TENANT, "instance.apply", "drop", instance=2)
    sandbox.add_fault(TENANT, "instance.config", "drop", instance=3)
    plan = make_plan([TENANT], parameters=PARAMETERS)
    operations.start_plan(plan.pk, OPERATOR)
    # Until all that can have it have taken the configuration up.
    wait_until(lambda: sorted(said(poll_once())) == ["19", "20", SILENT])
    return Task.objects.get()


def poll_once() -> Task:
    """Wake the task, and run it until it is parked again."""
    Task.objects.update(wake_at=in_seconds(-1))
    executor.run(Task.objects.get().pk, WORKER)
    doorbell.flush(5)
    return Task.objects.get()


def instances_in(html: str) -> str:
    """The table of instances, without what other parts of the page say of the past."""
    _before, _id, after = html.partition('id="task-instances"')
    return after.partition("</section>")[0]


def said(task: Task) -> list[str]:
    return [each["said"] for each in task.memo["instances"].values()]


def test_who_is_latest_outdated_and_silent_is_seen_while_it_waits(
    waiting: Task, viewer: Client
) -> None:
    found = instances_of(waiting, stage_runs(waiting))
    assert found is not None
    assert (found.is_waiting, found.expected) == (True, "20")
    assert [(row.status, row.said) for row in found.rows] == [
        ("latest", "20"),
        ("outdated", "19"),
        ("silent", SILENT),
    ]
    assert all(row.attempts and row.at for row in found.rows)
    page = viewer.get(f"/tasks/{waiting.pk}/").text
    assert "finds them while it waits" in page
    for row in found.rows:
        assert f"<code>{row.endpoint}</code>" in page


def test_an_open_page_is_told_as_soon_as_one_more_acknowledges(
    waiting: Task, sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    socket = sockets.watch(f"/ws/tasks/{waiting.pk}/", viewer)
    silent = next(fault for fault in sandbox.faults() if fault["step"] == "instance.config")
    sandbox.remove_fault(silent["id"])
    wait_until(lambda: sorted(said(poll_once())) == ["19", "20", "20"])

    def told() -> str:
        tables = [instances_in(frame.get("regions", "")) for frame in socket.waiting()]
        # The first one may tell how it was before.
        return next((table for table in tables if table and SILENT not in table), "")

    assert "finds them while it waits" in wait_until(told)


def test_what_was_found_last_stays_when_the_stage_has_ended(
    waiting: Task, sandbox: Sandbox, viewer: Client
) -> None:
    operations.pause_task(waiting.pk, OPERATOR)
    task = Task.objects.get()
    assert task.memo == {}
    assert instances_of(task, stage_runs(task)) is None
    operations.cancel_task(task.pk, OPERATOR)
    page = viewer.get(f"/tasks/{waiting.pk}/").text
    assert '<section id="task-instances" class="card" hidden>' in page


def test_of_many_instances_those_that_need_a_look_are_shown_first() -> None:
    rows = [InstanceRow(f"http://i/{n}", "20", "latest") for n in range(500)]
    rows[400] = InstanceRow("http://i/400", "19", "outdated")
    found = Instances(StageRun(), "20", rows)
    assert (len(found.shown), found.hidden) == (100, 400)
    assert found.shown[0].endpoint == "http://i/400"
    assert found.counts == [("latest", 499), ("outdated", 1), ("silent", 0)]
