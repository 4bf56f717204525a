"""A page that loses doorbells and its socket ends as a freshly loaded one."""

import random
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings

from plans import conf, operations
from plans.engine import conductor, executor, lease
from plans.models import Plan, Task
from tests.live.shown import ShownPlan
from tests.live.sockets import Socket, Sockets
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def lossy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.3)
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 0.5)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 0.5)
    default = settings.CHANNEL_LAYERS["default"]
    layer = {**default, "BACKEND": "tests.live.lossy_layer.LossyLayer"}
    with override_settings(CHANNEL_LAYERS={"default": layer}):
        yield


def socket_of(sockets: Sockets, client: Client, page: ShownPlan, plan: Plan) -> Socket:
    return sockets.watch(f"/ws/plans/{plan.pk}/?cursor={page.cursor}", client)


@pytest.mark.parametrize("seed", range(3))
def test_a_page_that_loses_doorbells_and_its_socket_ends_like_a_fresh_one(
    sandbox: Sandbox, sockets: Sockets, viewer: Client, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # Few enough that some absences are too long for a difference.
    monkeypatch.setattr(conf, "EVENTS_PER_FRAME_MAX", 60)
    chance = random.Random(seed)
    sandbox.add_fault("tenant-004", "gateway.put_route", "status", code=400)
    plan = make_plan(
        [f"tenant-{n:03}" for n in range(1, 13)],
        waves=[{"size": 2}, {"rest": True}],
        failure_policy="continue",
    )
    page = ShownPlan(plan)
    socket: Socket | None = socket_of(sockets, viewer, page, plan)
    operations.start_plan(plan.pk, OPERATOR)
    while Task.objects.filter(admitted=True).exists():
        runnable = list(lease.runnable().order_by("pk").values_list("pk", flat=True))
        for task_id in chance.sample(runnable, min(len(runnable), 2)):
            executor.run(task_id, WORKER)
        conductor.settle_active()
        if socket is None:
            if chance.random() < 0.5:
                socket = socket_of(sockets, viewer, page, plan)
            continue
        for message in socket.waiting():
            page.take(message)
        if chance.random() < 0.3:
            socket.close()
            socket = None
    failed = Task.objects.get(tenant="tenant-004")
    sandbox.clear_faults()
    operations.retry_task(failed.pk, OPERATOR)
    work_off()
    if socket is None:
        socket = socket_of(sockets, viewer, page, plan)
    fresh = ShownPlan.fresh(plan)
    differing = ["not looked yet"]
    for _ in range(40):
        page.take(socket.receive())
        if page.cursor == fresh.cursor and not (differing := page.differences(fresh)):
            break
    assert differing == []
    assert len(page.cells) == 12
    assert len(page.events) == conf.FEED_EVENTS
