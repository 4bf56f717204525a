"""The page of a plan that is over still shows where its tenants are, whoever moves them."""

import time

import pytest
from django.test import Client
from django.utils import timezone

from plans import conf, operations
from plans.models import Plan, Task, Tenant
from tests.live.shown import ShownPlan
from tests.live.sockets import Socket, Sockets
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

EQUAL_SECONDS = 60.0
FLEET = ["tenant-001", "tenant-002"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "LIVE_POLL_SECONDS", 0.2)
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 0.3)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 0.3)


@pytest.fixture
def over(sandbox: Sandbox) -> Plan:
    return switched("green")


def switched(target: str) -> Plan:
    """A plan that has moved the tenants there."""
    plan = make_plan(FLEET, target=target)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    return plan


def open_socket(sockets: Sockets, viewer: Client, page: ShownPlan, plan: Plan) -> Socket:
    return sockets.watch(f"/ws/plans/{plan.pk}/?cursor={page.cursor}", viewer)


def assert_becomes_fresh(page: ShownPlan, socket: Socket, plan: Plan) -> None:
    until = time.monotonic() + EQUAL_SECONDS
    while differing := page.differences(ShownPlan.fresh(plan)):
        assert time.monotonic() < until, differing
        page.take(socket.receive())


def test_a_page_that_is_open_sees_another_plan_move_its_tenants(
    over: Plan, sockets: Sockets, viewer: Client
) -> None:
    page = ShownPlan(over)
    socket = open_socket(sockets, viewer, page, over)
    socket.receive()
    switched("blue")
    assert page.differences(ShownPlan.fresh(over)) != []
    assert_becomes_fresh(page, socket, over)


def test_a_page_that_comes_back_sees_what_moved_meanwhile_though_its_plan_has_no_news(
    over: Plan, sockets: Sockets, viewer: Client
) -> None:
    page = ShownPlan(over)
    back = switched("blue")
    assert_becomes_fresh(page, open_socket(sockets, viewer, page, over), over)
    operations.roll_back_plan(back.pk, OPERATOR)
    work_off()
    assert_becomes_fresh(page, open_socket(sockets, viewer, page, over), over)
    assert page.cells[f"cell-{Task.objects.filter(plan=over)[0].pk}"].classes.startswith("cell g")


def test_a_page_sees_an_older_plan_move_its_tenants_again(
    over: Plan, sockets: Sockets, viewer: Client
) -> None:
    back = switched("blue")
    operations.roll_back_plan(back.pk, OPERATOR)
    work_off()
    page = ShownPlan(back)
    socket = open_socket(sockets, viewer, page, back)
    socket.receive()
    operations.roll_back_plan(over.pk, OPERATOR)
    work_off()
    assert_becomes_fresh(page, socket, back)


def test_a_page_sees_what_was_changed_outside(over: Plan, sockets: Sockets, viewer: Client) -> None:
    page = ShownPlan(over)
    socket = open_socket(sockets, viewer, page, over)
    socket.receive()
    Tenant.objects.filter(pk=FLEET[0]).update(environment="blue", synced_at=timezone.now())
    assert_becomes_fresh(page, socket, over)
