"""How long between rounds, and how many must agree."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.ack import ALL, Exponential, Fixed, Quorum


def test_a_fixed_strategy_is_always_the_same() -> None:
    assert [Fixed(2.0)(n) for n in (1, 2, 10_000)] == [2.0] * 3


def test_an_exponential_one_doubles_up_to_its_cap() -> None:
    strategy = Exponential(0.25, 3.0)
    assert [strategy(n) for n in range(1, 7)] == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0]


@given(st.floats(0.001, 10), st.floats(0.001, 600), st.integers(1, 10**9))
def test_no_number_of_rounds_is_too_large(first: float, cap: float, rounds: int) -> None:
    longest = Exponential(first, cap)(rounds)
    assert 0 < longest <= cap
    assert 0 <= Exponential(first, cap, full_jitter=True)(rounds) <= longest


def test_full_jitter_spreads_those_who_began_together() -> None:
    strategy = Exponential(8.0, 8.0, full_jitter=True)
    drawn = [strategy(1) for _ in range(400)]
    assert min(drawn) < 2 < 6 < max(drawn)


@pytest.mark.parametrize(
    ("given_rule", "total", "needed"),
    [
        ("all", 10, 10),
        ("all", 0, 0),
        (9, 10, 9),
        (9, 3, 3),
        ("9 of 10", 10, 9),
        ("9 of 10", 20, 18),
        ("9 of 10", 3, 3),
        ("90%", 10, 9),
        ("90%", 11, 10),
        ("0.5%", 1000, 5),
        ("66.7 %", 3, 3),
        ("100%", 7, 7),
        ("1 of 2", 0, 0),
    ],
)
def test_so_many_must_agree(given_rule: int | str, total: int, needed: int) -> None:
    quorum = Quorum.parse(given_rule)
    assert quorum.needed(total) == needed
    assert str(quorum) == str(given_rule)


@pytest.mark.parametrize(
    "given_rule",
    [0, -1, "", "none", "9", "0%", "101%", "10 of 9", "0 of 9", "1 of 0", "-5%", "9of10", "٩%"],
)
def test_what_is_no_rule_is_refused(given_rule: int | str) -> None:
    with pytest.raises(ValueError, match=r"instance|share|Give"):
        Quorum.parse(given_rule)


@given(st.integers(1, 999), st.integers(1, 999), st.integers(0, 1000))
def test_a_share_is_never_rounded_down(part: int, whole: int, total: int) -> None:
    part, whole = sorted((part, whole))
    needed = Quorum.parse(f"{part} of {whole}").needed(total)
    assert needed == ceil(total * part / whole) or abs(needed - total * part / whole) < 1e-6
    assert needed * whole >= total * part
    assert needed <= total


def test_only_the_whole_is_all() -> None:
    assert ALL.is_all
    assert Quorum.parse("100%").is_all
    assert not Quorum.parse("99%").is_all
    assert not Quorum.parse(3).is_all
