"""Sockets on the real application, Redis and database: who gets in, and what they are told."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from plans import conf, operations
from plans.live.admission import Close
from plans.live.feeds import _running
from plans.models import Plan, Task, Tenant
from plans.rendering.cursors import fleet_cursor, plan_cursor
from tests.live.sockets import Socket, Sockets
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def until(socket: Socket, cursor: str) -> list[dict[str, Any]]:
    """The messages up to and with the one at `cursor`."""
    messages = [socket.receive()]
    while messages[-1]["cursor"] != cursor:
        messages.append(socket.receive())
    return messages


# --- Who gets in ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ws/overview/", "/ws/plans/", "/ws/plans/1/", "/ws/tasks/1/"])
def test_without_a_sign_in_nobody_watches(sockets: Sockets, path: str) -> None:
    socket = sockets.open(path)
    assert socket is not None
    assert socket.closed_with() == Close.SIGN_IN


@pytest.mark.parametrize("path", ["/ws/overview/", "/ws/plans/", "/ws/plans/1/", "/ws/tasks/1/"])
def test_without_the_permission_nobody_watches(
    sockets: Sockets, sign_in: Callable[..., Client], path: str
) -> None:
    assert sockets.watch(path, sign_in(role="")).closed_with() == Close.FORBIDDEN


@pytest.mark.parametrize(
    "path", ["/ws/plans/1000000/", "/ws/tasks/1000000/", f"/ws/plans/{9**99}/", "/ws/x/", "/"]
)
def test_what_is_not_there_is_said_so(sockets: Sockets, viewer: Client, path: str) -> None:
    assert sockets.watch(path, viewer).closed_with() == Close.UNKNOWN


@pytest.mark.parametrize(
    "origin",
    [
        "http://elsewhere.example",
        "http://elsewhere.example:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:8001",
        "https://127.0.0.1:8001",
        "http://localhost:8000",
        "http://127.0.0.1:port",
        "file:///tmp/page.html",
        "null",
        "",
        None,
    ],
)
def test_a_page_of_another_site_does_not_get_in(
    sockets: Sockets, viewer: Client, origin: str | None
) -> None:
    assert sockets.open("/ws/plans/", viewer, origin) is None


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "admin"])
def test_every_role_watches(sockets: Sockets, sign_in: Callable[..., Client], role: str) -> None:
    assert sockets.watch("/ws/plans/", sign_in(role)).receive()["whole"] is True


def sign_out(client: Client) -> None:
    client.logout()


def deactivate(client: Client) -> None:
    User.objects.update(is_active=False)


def take_the_role(client: Client) -> None:
    User.objects.get().groups.clear()


def change_the_password(client: Client) -> None:
    user = User.objects.get()
    user.set_password("another one")
    user.save()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (sign_out, Close.SIGN_IN),
        (deactivate, Close.SIGN_IN),
        (change_the_password, Close.SIGN_IN),
        (take_the_role, Close.FORBIDDEN),
    ],
)
def test_who_may_not_watch_any_more_is_cut_off(
    sockets: Sockets,
    viewer: Client,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Client], None],
    code: Close,
) -> None:
    monkeypatch.setattr(conf, "LIVE_ACCESS_SECONDS", 0.1)
    socket = sockets.watch("/ws/plans/", viewer)
    socket.receive()
    change(viewer)
    assert socket.closed_with() == code
    wait_until(lambda: not _running)


def test_a_page_that_sees_nothing_is_dropped(
    sockets: Sockets, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "LIVE_ACCESS_SECONDS", 0.1)
    monkeypatch.setattr(conf, "LIVE_PATIENCE_SECONDS", 0.2)
    assert sockets.watch("/ws/plans/", viewer).closed_with() == Close.STALLED


@pytest.mark.parametrize(
    "text", ["no json", "[]", "[" * 3000, "7", '{"cursor": 7}', '{"seen": "x"}', "x" * 10**6]
)
def test_nonsense_from_a_page_harms_nobody(sockets: Sockets, viewer: Client, text: str) -> None:
    other = sockets.watch("/ws/plans/", viewer)
    other.receive()
    sockets.watch("/ws/plans/", viewer).say_text(text)
    other.say({"cursor": "nonsense"})
    assert other.receive()["whole"] is True


@pytest.mark.parametrize(
    ("text", "code"), [("no json", Close.NONSENSE), ("x" * 10**6, Close.TOO_LARGE)]
)
def test_who_cannot_be_understood_is_told_why(
    sockets: Sockets, viewer: Client, text: str, code: Close
) -> None:
    page = sockets.watch("/ws/plans/", viewer)
    page.say_text(text)
    assert page.closed_with() == code


# --- What they are told -----------------------------------------------------------------------


def test_a_plans_page_is_told_what_changed(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    task = Task.objects.get(tenant="tenant-001")
    since = int(plan_cursor(plan))
    socket = sockets.watch(f"/ws/plans/{plan.pk}/?cursor={since}", viewer)
    assert socket.receive()["cursor"] == str(since)

    operations.start_plan(plan.pk, OPERATOR)
    work_off()

    cursor = plan_cursor(plan)
    messages = until(socket, cursor)
    told = "".join(message.get("events", "") for message in messages)
    for seq in range(max(since, int(cursor) - conf.FEED_EVENTS) + 1, int(cursor) + 1):
        assert f'id="event-{plan.journal_id}-{seq}"' in told
    rows = "".join(message.get("rows", "") for message in messages)
    assert f'id="task-{task.pk}"' in rows
    last = {cell[0]: cell for message in messages for cell in message.get("cells", [])}
    assert "completed" in last[f"cell-{task.pk}"][1]


def test_a_tasks_page_is_told_of_its_own_task(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    mine, other = Task.objects.order_by("tenant")
    socket = sockets.watch(f"/ws/tasks/{mine.pk}/?cursor={plan_cursor(plan)}", viewer)
    socket.receive()
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    seqs = mine.events.order_by("-seq").values_list("seq", flat=True)
    told = ""
    while f'id="event-{plan.journal_id}-{seqs[0]}"' not in told:
        told += socket.receive().get("events", "")
    for seq in other.events.values_list("seq", flat=True):
        assert f'id="event-{plan.journal_id}-{seq}"' not in told


def test_the_overview_and_the_list_are_told_of_every_plan(
    sandbox: Sandbox, sockets: Sockets, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was read after the last event may have been told with the cursor before it.
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.2)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 0.2)
    make_plan(["tenant-003"], name="Finished before")
    plan = make_plan(["tenant-001"])
    # What was read a moment ago is told once more to whoever falls behind.
    Tenant.objects.update(synced_at=timezone.now() - timedelta(hours=1))
    cursor = fleet_cursor()
    overview = sockets.watch(f"/ws/overview/?cursor={cursor}", viewer)
    plans = sockets.watch(f"/ws/plans/?cursor={cursor}", viewer)
    overview.receive()
    plans.receive()

    operations.start_plan(plan.pk, OPERATOR)
    work_off()

    messages = until(overview, fleet_cursor())
    assert not any(message.get("whole") for message in messages)
    last = {cell[0]: cell for message in messages for cell in message.get("cells", [])}
    assert set(last) == {"t-tenant-001"}
    rows = "".join(message.get("rows", "") for message in until(plans, fleet_cursor()))
    assert f'id="plan-{plan.pk}"' in rows


def test_the_list_fetches_itself_again_when_there_is_a_new_plan(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    make_plan(["tenant-001"])
    socket = sockets.watch(f"/ws/plans/?cursor={fleet_cursor()}", viewer)
    socket.receive()
    make_plan(["tenant-002"])
    assert until(socket, fleet_cursor())[-1]["refresh"] == ["plan-table"]


def test_the_work_of_a_feed_does_not_grow_with_its_viewers(
    sandbox: Sandbox, sockets: Sockets, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(["tenant-001"])
    path = f"/ws/plans/{plan.pk}/?cursor={plan_cursor(plan)}"
    watching = [sockets.watch(path, viewer) for _ in range(8)]
    for socket in watching:
        socket.receive()
    [(feed, _)] = _running.values()
    wait_until(lambda: all(viewer.has_room for viewer in feed._viewers), message="all have seen it")
    operations.cancel_plan(plan.pk, OPERATOR)  # One transaction, and so one frame.
    cursor = plan_cursor(plan)
    frames = [until(socket, cursor)[-1] for socket in watching]
    # The time in it says that it is one message, made once.
    assert len({frame["at"] for frame in frames}) == 1


def test_a_redis_that_is_away_harms_no_page(
    sandbox: Sandbox,
    sockets: Sockets,
    viewer: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.2)
    caplog.set_level(logging.CRITICAL)
    plan = make_plan(["tenant-001"])
    default = settings.CHANNEL_LAYERS["default"]
    nowhere = {"hosts": [{"address": "redis://127.0.0.1:1"}]}
    with override_settings(CHANNEL_LAYERS={"default": {**default, "CONFIG": nowhere}}):
        socket = sockets.watch(f"/ws/plans/{plan.pk}/?cursor={plan_cursor(plan)}", viewer)
        socket.receive()
        operations.cancel_plan(plan.pk, OPERATOR)
        until(socket, plan_cursor(Plan.objects.get()))
