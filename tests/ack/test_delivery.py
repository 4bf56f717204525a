"""Write, publish, verify, with a real Redis and instances that read it as services do."""

import json
from collections.abc import Callable
from functools import partial

import pytest
import redis

from plans.ack import (
    Delivery,
    Digest,
    Fixed,
    Header,
    Poll,
    Question,
    Quorum,
    Reason,
    deliver,
    wait_for,
)
from plans.stores import connection, versioned
from plans.stores.versioned import Stamp, WriteOutcome, WriteResult
from tests.ack.conftest import Start, version
from tests.clients.raw_server import answer
from tests.support.waiting import WAIT_SECONDS

KEY = "app:limits"
OFTEN = Fixed(0.02)


@pytest.fixture
def server() -> redis.Redis:
    return connection.tenant_redis()


def writing(
    server: redis.Redis, number: int, epoch: int = 1, value: str = "{}"
) -> Callable[[], WriteResult]:
    stamp = Stamp(number, epoch, "news", str(number), unless_held=True)
    return partial(versioned.write_string, server, KEY, value, stamp)


def held(server: redis.Redis) -> str:
    return (server.hget(versioned.fence_key(KEY), "version") or b"0").decode()


def test_what_is_written_is_confirmed_by_those_who_read_it(
    server: redis.Redis, start: Start
) -> None:
    instances = [start(lambda n: version(held(server))) for _ in range(3)]
    poll = Poll.of([each.url for each in instances], "7")
    delivery = deliver(writing(server, 7), poll, Question(), OFTEN, WAIT_SECONDS)
    assert delivery.success
    assert delivery.write == WriteResult(WriteOutcome.WRITTEN, 7, 1)
    assert delivery.ack is not None
    assert (delivery.ack.attempts, delivery.ack.confirmed) == (1, 3)


def test_a_refusal_is_a_result_and_nobody_is_asked(server: redis.Redis, start: Start) -> None:
    writing(server, 8)()
    instance = start(lambda n: version("8"))
    delivery = deliver(
        writing(server, 7), Poll.of([instance.url], "7"), Question(), OFTEN, WAIT_SECONDS
    )
    assert delivery == Delivery(WriteResult(WriteOutcome.REFUSED, 8, 1), None)
    assert instance.asked == 0


def test_a_newer_write_in_between_ends_the_waiting(server: redis.Redis, start: Start) -> None:
    def says(number: int) -> bytes:
        if number == 2:
            writing(server, 8, epoch=2)()
        return version("6")

    instance = start(says)
    delivery = deliver(
        writing(server, 7), Poll.of([instance.url], "7"), Question(), OFTEN, WAIT_SECONDS
    )
    assert delivery.write == WriteResult(WriteOutcome.REFUSED, 8, 2)
    assert not delivery.success
    assert instance.asked == 2


def test_a_lost_notice_and_a_lost_value_are_made_good(server: redis.Redis, start: Start) -> None:
    with server.pubsub(ignore_subscribe_messages=True) as heard:

        def says(number: int) -> bytes:
            if number == 1:  # It was not listening when the first notice came.
                heard.subscribe("news")
                heard.get_message(timeout=20)
                server.flushdb()
                return version("0")
            notice = heard.get_message(timeout=20)
            return version(held(server) if notice else "0")

        instance = start(says)
        poll = Poll.of([instance.url], "7")
        assert deliver(writing(server, 7), poll, Question(), OFTEN, WAIT_SECONDS).success
    assert server.get(KEY) == b"{}"


def test_a_digest_is_confirmed_by_a_header(server: redis.Redis, start: Start) -> None:
    value = json.dumps({"limit": 5})

    def says(number: int) -> bytes:
        read = (server.get(KEY) or b"").decode()
        return answer("", "200 OK", f"ETag: {Digest(digest='sha256')(read)}")

    poll = Poll.of([start(says).url], Digest(digest="sha256")(value))
    question = Question("/status", Header(header="ETag"))
    assert deliver(writing(server, 1, value=value), poll, question, OFTEN, WAIT_SECONDS).success


def test_a_strategy_and_a_reader_may_be_functions_of_ones_own(start: Start) -> None:
    rounds: list[int] = []

    def strategy(number: int) -> float:
        rounds.append(number)
        return 0.0

    instance = start(lambda n: answer("seven" if n > 3 else "six"))
    question = Question("/", lambda reply: {"six": "6", "seven": "7"}[reply.content.decode()])
    result = wait_for(Poll.of([instance.url], "7"), question, strategy, WAIT_SECONDS)
    assert (result.success, result.attempts, rounds) == (True, 4, [1, 2, 3])


@pytest.mark.parametrize(
    ("body", "reason"), [("garbage", Reason.ERROR), ('{"version": "6"}', Reason.MISMATCH)]
)
def test_when_the_time_is_over_the_result_says_why(start: Start, body: str, reason: Reason) -> None:
    instance = start(lambda n: answer(body))
    result = wait_for(Poll.of([instance.url], "7"), Question(), OFTEN, 1.0)
    assert (result.success, result.reason) == (False, reason)
    assert result.attempts == instance.asked
    assert result.elapsed_seconds >= 1.0


def test_with_a_quorum_it_goes_on_and_says_who_is_missing(start: Start) -> None:
    well = [start(lambda n: version("7")).url for _ in range(2)]
    old = start(lambda n: version("6")).url
    result = wait_for(
        Poll.of([*well, old], "7"), Question(), OFTEN, WAIT_SECONDS, Quorum.parse("2 of 3")
    )
    assert (result.success, result.missing) == (True, [old])
