"""Intervals, TTLs and schedules: the same in every process, and never further apart than said."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from plans import conf
from plans.errors import RenewalRefused
from plans.renewal.interval import AnyInterval, Interval
from plans.renewal.schedule import Schedule
from plans.renewal.spec import parse
from plans.renewal.ttl import FixedTtl, UntilTtl

INTERVALS: list[dict[str, Any]] = [
    {"kind": "fixed", "seconds": 20},
    {"kind": "fixed", "seconds": 0.333},
    {"kind": "jittered", "seconds": 20, "jitter": 0.9},
    {"kind": "jittered", "seconds": 1.7, "jitter": 0.1},
    {"kind": "backoff", "first_seconds": 0.5, "factor": 1.5, "max_seconds": 30},
    {"kind": "backoff", "first_seconds": 7, "factor": 2, "max_seconds": 7},
]
LIST = {"kind": "list", "keys": ["a"]}


def interval_of(described: dict[str, Any]) -> Interval:
    found: Interval = TypeAdapter(AnyInterval).validate_python(described)
    return found


@settings(max_examples=300, deadline=None)
@given(
    described=st.sampled_from(INTERVALS),
    elapsed=st.integers(-10_000_000, 10**10),
    phase=st.integers(0, 999).map(lambda part: part / 1000),
    seed=st.integers(0, 1000),
)
def test_the_round_at_a_time_is_the_last_one_that_was_due(
    described: dict[str, Any], elapsed: int, phase: float, seed: int
) -> None:
    interval = interval_of(described)
    round_ = interval.round_at(elapsed, phase, seed)
    assert interval.due_ms(round_, phase, seed) <= elapsed
    assert elapsed < interval.due_ms(round_ + 1, phase, seed)
    gap = interval.due_ms(round_ + 1, phase, seed) - interval.due_ms(round_, phase, seed)
    assert 0 < gap <= interval.longest_ms + 1


@pytest.mark.parametrize("described", INTERVALS, ids=str)
def test_the_first_round_of_every_key_is_due_within_the_first_interval(
    described: dict[str, Any],
) -> None:
    interval = interval_of(described)
    for phase in (0.0, 0.5, 0.999):
        assert interval.due_ms(-1, phase, 5) <= 0
        assert interval.due_ms(0, phase, 5) <= interval.shortest_ms


def test_a_backoff_grows_up_to_its_longest() -> None:
    interval = interval_of({"kind": "backoff", "first_seconds": 1, "factor": 2, "max_seconds": 5})
    dues = [interval.due_ms(round_, 0.0, 0) for round_ in range(7)]
    gaps = [(b - a) / 1000 for a, b in pairwise(dues)]
    assert gaps == [1, 2, 4, 5, 5, 5]


def test_jitter_differs_from_round_to_round_and_is_the_same_in_every_process() -> None:
    described = {"kind": "jittered", "seconds": 10, "jitter": 0.5}
    one, other = interval_of(described), interval_of(described)
    rounds = [one.due_ms(round_, 0.3, 7) - round_ * 10_000 for round_ in range(50)]
    assert rounds == [other.due_ms(round_, 0.3, 7) - round_ * 10_000 for round_ in range(50)]
    assert len(set(rounds)) > 40
    assert rounds != [one.due_ms(round_, 0.3, 8) - round_ * 10_000 for round_ in range(50)]


def test_many_keys_are_spread_over_the_interval() -> None:
    schedule = Schedule(interval_of({"kind": "fixed", "seconds": 20}), FixedTtl(seconds=60), 0, 1)
    parts = [schedule.part_of(b"key-%d" % number) for number in range(10_000)]
    assert schedule.parts == 400
    assert max(parts.count(part) for part in range(400)) < 100
    assert 19_950 <= schedule.due_ms(399, 0) - schedule.due_ms(0, 0) <= 19_951


def test_a_round_gives_the_same_end_whenever_it_is_made() -> None:
    interval = interval_of({"kind": "fixed", "seconds": 20})
    fixed = Schedule(interval, FixedTtl(seconds=60), 1_000_000, 1)
    assert fixed.end_ms(0, 3) == 1_000_000 + 60_000 + 60_000
    at = datetime(2030, 1, 1, tzinfo=UTC)
    until = Schedule(interval, UntilTtl(kind="until", at=at), 1_000_000, 1)
    assert until.end_ms(0, 3) == until.end_ms(5, 99) == at.timestamp() * 1000
    assert until.ttl.is_over(at)
    assert not until.ttl.is_over(at - timedelta(seconds=1))


@pytest.mark.parametrize("interval", INTERVALS, ids=str)
def test_a_ttl_that_does_not_outlive_a_takeover_is_refused(interval: dict[str, Any]) -> None:
    longest = interval_of(interval).longest_ms / 1000
    margin = conf.RENEWAL_LEASE_SECONDS + conf.RENEWAL_TAKEOVER_SECONDS
    described = {"selector": LIST, "interval": interval}
    with pytest.raises(RenewalRefused, match="another process may need to take over"):
        parse(described | {"ttl": {"kind": "fixed", "seconds": longest + margin}})
    parse(described | {"ttl": {"kind": "fixed", "seconds": longest + margin + 0.1}})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"selector": {"kind": "list", "keys": []}}, "selector.list.keys"),
        ({"selector": {"kind": "function", "name": "nobody"}}, "selector.function.name"),
        ({"selector": {"kind": "magic"}}, "selector"),
        ({"interval": {"kind": "fixed", "seconds": 0}}, "interval.fixed.seconds"),
        ({"ttl": {"kind": "until", "at": "2030-01-01T00:00:00"}}, "ttl.until.at"),
        ({"stop": {"count": 0}}, "stop.count"),
        ({"stop": {"done": {"name": "nobody"}}}, "stop.done.name"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_description_is_refused_with_its_fields(change: dict[str, Any], field: str) -> None:
    described = {
        "selector": LIST,
        "ttl": {"kind": "fixed", "seconds": 60},
        "interval": {"kind": "fixed", "seconds": 20},
    }
    with pytest.raises(RenewalRefused) as refused:
        parse(described | change)
    assert [fault["field"] for fault in refused.value.details] == [field]
