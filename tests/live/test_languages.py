"""Two who watch the same plan, each in a language of their own."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from plans import operations
from plans.rendering.cursors import plan_cursor
from tests.live.sockets import Socket, Sockets
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def told(socket: Socket, cursor: str) -> str:
    """All that the socket is told up to `cursor`."""
    messages = [socket.receive()]
    while messages[-1]["cursor"] != cursor:
        messages.append(socket.receive())
    return "".join(
        text for each in messages for text in (each.get("regions", ""), each.get("events", ""))
    )


def test_each_viewer_is_told_in_the_language_of_its_pages(
    sandbox: Sandbox, sockets: Sockets, sign_in: Callable[..., Client]
) -> None:
    plan = make_plan(["tenant-001"])
    english, chinese = sign_in("viewer"), sign_in("viewer")
    chinese.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    cursor = plan_cursor(plan)
    viewers = [
        sockets.watch(f"/ws/plans/{plan.pk}/?cursor={cursor}", client)
        for client in (english, chinese)
    ]
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    in_english, in_chinese = (told(viewer, plan_cursor(plan)) for viewer in viewers)
    assert "stage completed" in in_english
    assert "阶段已完成" not in in_english
    assert "阶段已完成" in in_chinese
    assert "切换路由" in in_chinese
    assert "stage completed" not in in_chinese
