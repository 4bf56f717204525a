"""Waves: what is asked for, in numbers."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.validation import WaveRequest, resolve
from plans.validation.waves import validate_waves
from tests.plans.asking import found, tenants

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("waves", "codes"),
    [
        ([], []),
        ([{"rest": True}], []),
        ([{"size": 1}, {"percent": 50}, {"rest": True, "mode": "FIFO"}], []),
        ([{"percent": 100}], []),
        ([{}], ["WAVE_MALFORMED", "WAVES_INCOMPLETE"]),
        ([{"size": 1, "rest": True}], ["WAVE_MALFORMED"]),
        ([{"size": 0}, {"rest": True}], ["WAVE_SIZE"]),
        ([{"size": -3}, {"rest": True}], ["WAVE_SIZE"]),
        ([{"percent": 0}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": 101}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": math.nan}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": math.inf}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"percent": -math.inf}, {"rest": True}], ["WAVE_PERCENT"]),
        ([{"rest": True, "mode": "LIFO"}], ["WAVE_MODE"]),
        ([{"size": 3}], ["WAVES_INCOMPLETE"]),
        ([{"size": 1}] * 101, ["TOO_MANY_WAVES"]),
    ],
)
def test_waves(waves: list[dict[str, Any]], codes: list[str]) -> None:
    ten = tenants(*(f"tenant-{n:03}" for n in range(1, 11)))
    asked = tuple(WaveRequest(**wave) for wave in waves)
    assert [code for _, code, _ in found(validate_waves, tenants=ten, waves=asked)] == codes


wave_requests = st.one_of(
    st.builds(WaveRequest, size=st.integers(-5, 200)),
    st.builds(WaveRequest, percent=st.floats(0, 100, exclude_min=True)),
    st.builds(WaveRequest, rest=st.just(True)),
)


@given(st.lists(wave_requests, max_size=10), st.integers(1, 500))
def test_waves_never_hold_more_than_all_and_with_a_rest_hold_all(
    waves: list[WaveRequest], total: int
) -> None:
    planned = resolve(waves, total)
    assert all(wave.size > 0 for wave in planned)
    covered = sum(wave.size for wave in planned)
    assert covered <= total
    if not waves or any(wave.rest for wave in waves):
        assert covered == total


@given(st.integers(1, 1000), st.integers(1, 20_000))
def test_a_percentage_is_of_all_tasks_and_rounded_up(tenths: int, total: int) -> None:
    [wave] = resolve([WaveRequest(percent=tenths / 10)], total)
    assert wave.size == math.ceil(Fraction(tenths, 1000) * total)
