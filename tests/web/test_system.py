"""The system's page: stores that answer, and what failed last."""

import re
import socket
import time
from contextlib import ExitStack

import httpx
import pytest
from django.conf import settings
from django.test import Client, override_settings
from redis import Redis

from plans import operations
from plans.models import Task
from plans.queries import last_errors
from plans.rendering import alarms
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ONE_WAIT_SECONDS = 7.0
"""Longer than one wait for a Redis that says nothing, shorter than several."""
ANSWERED = r'<b class="num">[0-9.]+ ms</b><span>until %s answers?</span>'


def test_it_says_how_soon_each_store_answers(viewer: Client) -> None:
    page = viewer.get("/system/").text
    assert re.search(ANSWERED % "the database", page)
    assert re.search(ANSWERED % "Redis", page)


def test_another_redis_of_the_tenants_that_is_away_is_seen(viewer: Client) -> None:
    with override_settings(TENANT_REDIS_URL="redis://127.0.0.1:1/0"):
        page = viewer.get("/system/").text
    assert re.search(ANSWERED % "Redis", page)
    assert re.search('<b class="num bad">–</b><span>until the tenants[^<]* Redis answers', page)


@pytest.mark.parametrize("path", ["/", "/system/", "/metrics"])
def test_junk_among_the_workers_breaks_no_page(
    path: str, viewer: Client, redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "_look", alarms._Look())
    with Redis.from_url(redis_server) as redis:
        redis.hset("rq:worker:x", mapping={"threads": "abc"})
        redis.sadd("rq:workers:default", "rq:worker:x")
    assert viewer.get(path).status_code == 200


@pytest.mark.processes
@pytest.mark.parametrize("path", ["/system/", "/metrics"])
def test_servers_that_say_nothing_are_waited_for_once(
    path: str, processes: Processes, viewer: Client
) -> None:
    with ExitStack() as silent:
        ports = [
            silent.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for _name in range(2)
        ]
        own, of_tenants = (f"redis://127.0.0.1:{port}/0" for port in ports)
        web = processes.web(REDIS_URL=own, TENANT_REDIS_URL=of_tenants)
        session = {settings.SESSION_COOKIE_NAME: viewer.cookies[settings.SESSION_COOKIE_NAME].value}
        with httpx.Client(base_url=web.url, cookies=session, timeout=120) as http:

            def is_quick() -> bool:
                began = time.monotonic()
                assert http.get(path).status_code == 200
                return time.monotonic() - began < ONE_WAIT_SECONDS

            # A machine that has much else to do has a better moment; several waits never fit.
            wait_until(is_quick)


def test_the_last_errors_lead_to_plan_and_task(sandbox: Sandbox, viewer: Client) -> None:
    assert "Last errors" not in viewer.get("/system/").text
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], name="Errors & more")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()

    errors = last_errors.last_errors()
    assert {error.event.tenant_id for error in errors} == {"tenant-002", ""}
    assert [error.event.pk for error in errors] == sorted(
        (error.event.pk for error in errors), reverse=True
    )
    page, failed = viewer.get("/system/").text, Task.objects.get(tenant="tenant-002")
    assert f'<a href="/plans/{plan.pk}/">Errors &amp; more</a>' in page
    assert f'<a href="/tasks/{failed.pk}/">tenant-002</a>' in page
    assert "<b>stage failed</b>: switch route" in page
