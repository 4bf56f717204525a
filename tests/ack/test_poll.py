"""Rounds of questions to real instances: what each said makes of it, and of the whole."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.ack import AckResult, InstanceAck, Poll, Question, Quorum, Reason, Status
from plans.errors import ServiceBadAnswer, ServiceTimeout, Superseded
from tests.ack.conftest import Start, version
from tests.clients.raw_server import answer
from tests.support.waiting import WAIT_SECONDS

PATIENT = Question(timeout_seconds=WAIT_SECONDS)


def one_round(*urls: str, expected: str = "20", hanging: str = "") -> AckResult:
    """All of them have time to answer, but for the one that hangs."""

    def ask(url: str) -> str:
        return (Question(timeout_seconds=1.0) if url == hanging else PATIENT).ask(url)

    poll = Poll.of(urls, expected)
    poll.ask(ask, timeout_seconds=PATIENT.timeout_seconds)
    return poll.result(0.0)


def test_each_instance_has_its_own_result(start: Start) -> None:
    hanging = start(lambda n: None).url
    urls = [
        start(lambda n: version("20")).url,
        start(lambda n: version("19")).url,
        start(lambda n: answer("garbage")).url,
        start(lambda n: answer("{}", "500 Internal Server Error")).url,
        hanging,
        "http://127.0.0.1:1",
        "http://192.0.2.1",
    ]
    result = one_round(*urls, hanging=hanging)
    assert [(each.said, each.reason, each.status) for each in result.instances.values()] == [
        ("20", None, Status.LATEST),
        ("19", Reason.MISMATCH, Status.OUTDATED),
        ("INSTANCE_BAD_ANSWER", Reason.ERROR, Status.SILENT),
        ("INSTANCE_UNAVAILABLE", Reason.ERROR, Status.SILENT),
        ("INSTANCE_TIMEOUT", Reason.TIMEOUT, Status.SILENT),
        ("INSTANCE_UNREACHABLE", Reason.TIMEOUT, Status.SILENT),
        ("INSTANCE_REJECTED", Reason.ERROR, Status.SILENT),
    ]
    assert (result.success, result.reason, result.attempts) == (False, Reason.TIMEOUT, 1)
    assert list(result.actual.values()) == ["20", "19", None, None, None, None, None]
    assert set(result.expected.values()) == {"20"}
    assert result.missing == urls[1:]
    assert result.confirmed == 1


def test_the_reason_is_timeout_before_mismatch_before_error(start: Start) -> None:
    well, old, broken = (
        start(lambda n: version("20")).url,
        start(lambda n: version("19")).url,
        start(lambda n: answer("garbage")).url,
    )
    assert one_round(well, old, broken, "http://127.0.0.1:1").reason is Reason.TIMEOUT
    assert one_round(well, old, broken).reason is Reason.MISMATCH
    assert one_round(well, broken).reason is Reason.ERROR
    assert one_round(well).reason is None


@pytest.mark.parametrize(
    ("expected", "said", "reason"),
    [
        ("20", "20", None),
        ("20", "020", None),
        ("0", "000", None),
        ("20", "2", Reason.MISMATCH),
        ("20", "21", Reason.MISMATCH),
        ("20", "v20", Reason.ERROR),
        ("20", "-20", Reason.ERROR),
        ("20", "٢٠", Reason.ERROR),
        ("20", "", Reason.ERROR),
        ("abc", "abc", None),
        ("abc", "ABC", Reason.MISMATCH),
        ("abc", "20", Reason.MISMATCH),
        (str(10**30), str(10**30 + 1), Reason.MISMATCH),
    ],
)
def test_numbers_are_compared_as_numbers_and_tags_as_text(
    start: Start, expected: str, said: str, reason: Reason | None
) -> None:
    instance = start(lambda n: version(said))
    assert one_round(instance.url, expected=expected).reason is reason


def test_who_has_acknowledged_is_not_asked_again(start: Start) -> None:
    quick = start(lambda n: version("20"))
    late = start(lambda n: version("20" if n == 3 else "19"))
    poll = Poll.of([quick.url, late.url, quick.url], "20")
    for _ in range(3):
        poll.ask(PATIENT.ask)
        # As it is when the task was parked in between, and another process goes on.
        poll = Poll.from_json(json.loads(json.dumps(poll.as_json())), [quick.url, late.url])
    result = poll.result(1.0)
    assert (result.success, result.attempts) == (True, 3)
    assert [each.attempts for each in result.instances.values()] == [1, 3]
    assert (quick.asked, late.asked) == (1, 3)


def test_with_a_quorum_nobody_waits_for_one_that_hangs(start: Start) -> None:
    urls = [start(lambda n: version("20")).url for _ in range(9)]
    hanging = start(lambda n: None)
    poll = Poll.of([hanging.url, *urls], "20")
    began = time.monotonic()
    poll.ask(Question(timeout_seconds=100).ask, quorum=Quorum.parse("9 of 10"), timeout_seconds=100)
    assert time.monotonic() - began < 60  # One question may take longer.
    result = poll.result(0.2, Quorum.parse("9 of 10"))
    assert (result.success, result.reason, result.missing) == (True, None, [hanging.url])
    assert not poll.is_agreed()


def test_nobody_to_ask_agrees() -> None:
    assert one_round().success


def test_a_lost_lease_stops_the_round() -> None:
    def ask(endpoint: str) -> str:
        raise Superseded

    with pytest.raises(Superseded):
        Poll.of(["http://a", "http://b"], "20").ask(ask)


def test_a_version_that_cannot_be_shown_is_a_bad_answer(start: Start) -> None:
    for text in ("a\\u0000b", "x" * 201, "\\ud800"):
        instance = start(lambda n, text=text: version(text))  # type: ignore[misc]
        with pytest.raises(ServiceBadAnswer):
            Question().ask(instance.url)


def test_a_question_has_a_time_limit_of_its_own(start: Start) -> None:
    hanging = start(lambda n: None)
    began = time.monotonic()
    with pytest.raises(ServiceTimeout, match=r"within 0\.2 s"):
        Question(timeout_seconds=0.2).ask(hanging.url)
    assert time.monotonic() - began < 60


ACKS = st.builds(
    InstanceAck,
    said=st.text(max_size=20),
    reason=st.none() | st.sampled_from(Reason),
    attempts=st.integers(0, 1000),
    at=st.just("2026-01-01T00:00:00+00:00"),
)


@given(st.dictionaries(st.text(min_size=1, max_size=10), ACKS, max_size=6))
def test_what_is_stored_between_two_rounds_comes_back_as_it_was(
    instances: dict[str, InstanceAck],
) -> None:
    poll = Poll("20", tuple(instances), 3, instances)
    assert Poll.from_json(json.loads(json.dumps(poll.as_json())), instances) == poll
