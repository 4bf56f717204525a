"""Probes: alive without anything, ready with the database, Redis and a conductor."""

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError

import pytest
from django.test import Client, override_settings
from redis import Redis

from plans import conf
from plans.engine import leadership
from plans.engine.single_flight import SingleFlight
from plans.models import Leadership
from tests.support.processes import START_SECONDS, Processes, WebProcess
from tests.support.waiting import wait_until

TIME_SECONDS = 60.0
"""So long a probe may take on a machine that has much else to do; who hangs takes for ever."""
AWAY = "redis://127.0.0.1:9/0"
# What is asked is asked in a thread of its own, which sees what was committed.
committed = pytest.mark.django_db(transaction=True)


def test_who_is_alive_says_so_without_the_database() -> None:
    # This test may not use the database: pytest-django refuses it.
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert "no-cache" in answer.headers["Cache-Control"]


@committed
def test_with_everything_there_it_is_ready() -> None:
    leadership.lead("conductor", "somebody")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


@committed
def test_a_conductor_that_was_not_seen_lately_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(Client().get("/readyz").json()["missing"]) == {"conductor"}
    leadership.lead("conductor", "somebody")
    monkeypatch.setattr(conf, "CONDUCTOR_SEEN_SECONDS", -60.0)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "manage.py conductor" in answer.json()["missing"]["conductor"]
    assert Leadership.objects.get().holder == "somebody"


@committed
def test_a_redis_that_is_away_is_missing_and_its_address_is_not_told() -> None:
    leadership.lead("conductor", "somebody")
    with override_settings(REDIS_URL="redis://:secret@127.0.0.1:9/0"):
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["missing"]) == {"redis"}
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text


@committed
def test_something_else_in_the_place_of_the_queue_is_said(redis_server: str) -> None:
    leadership.lead("conductor", "somebody")
    with Redis.from_url(redis_server) as redis:
        redis.set("rq:queue:default", "x")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "rq:queue:default in Redis" in answer.json()["missing"]["redis"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@committed
def test_probes_ask_by_address_in_plain_http_and_change_nothing(path: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["bluegreen.example"]):
        answer = Client().get(path, headers={"Host": "10.0.0.7"})
        assert answer.status_code in (200, 503)
        assert Client().post(path).status_code == 405
    assert not answer.cookies


@pytest.mark.processes
def test_a_real_server_is_ready_once_its_conductor_is_there(processes: Processes) -> None:
    web = processes.web()
    assert asked(web, "/healthz") == (200, {"alive": True})
    status, body = asked(web, "/readyz")
    assert (status, set(body["missing"])) == (503, {"conductor"})
    processes.conductor()
    wait_until(lambda: asked(web, "/readyz")[0] == 200, START_SECONDS)
    without = processes.web(
        REDIS_URL=AWAY, DATABASE_URL="postgres://nobody:secret@127.0.0.1:9/nothing"
    )
    status, body = asked(without, "/readyz")
    assert (status, set(body["missing"])) == (503, {"database", "redis", "conductor"})
    assert "secret" not in json.dumps(body)
    assert asked(without, "/healthz")[0] == 200


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens there and says nothing, ever, as behind a firewall that drops packets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@pytest.mark.processes
def test_servers_that_never_answer_are_missing_in_time(
    processes: Processes, silent_port: int
) -> None:
    web = processes.web(
        REDIS_URL=f"redis://127.0.0.1:{silent_port}/0",
        DATABASE_URL=f"postgres://nobody:secret@127.0.0.1:{silent_port}/nothing",
    )
    with ThreadPoolExecutor() as askers:
        for _time in range(2):
            answers = list(askers.map(lambda _: asked(web, "/readyz"), range(4)))
            for status, body in answers:
                assert (status, set(body["missing"])) == (503, {"database", "redis", "conductor"})
    assert asked(web, "/healthz")[0] == 200


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    asked_times, may_answer = [], threading.Event()

    def ask() -> int:
        asked_times.append(1)
        may_answer.wait(120)
        return 42

    question = SingleFlight(ask)
    for _time in range(3):
        with pytest.raises(TimeoutError):
            question.answer(0.01)
    may_answer.set()
    assert question.answer(60) == 42
    assert len(asked_times) == 1


def asked(web: WebProcess, path: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The status and body of the answer, which comes in time."""
    try:
        with urllib.request.urlopen(web.url + path, timeout=TIME_SECONDS) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        return refused.code, json.load(refused)
