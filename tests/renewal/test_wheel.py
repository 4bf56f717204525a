"""The wheel against a naive model, small ones in every order and one with a million timers."""

import math
import random
from collections import Counter
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plans.renewal.wheel import SPANS, Timer, TimingWheel

TICK = 0.01
DELAYS = st.one_of(
    st.floats(-5, 60),
    st.sampled_from([ticks * TICK for span in SPANS for ticks in (span - 1, span, span + 1)]),
    st.floats(0, SPANS[-1] * TICK * 3),
)


class WheelMachine(RuleBasedStateMachine):
    """The wheel beside a dictionary of what was scheduled."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1234.5
        self.wheel: TimingWheel[int] = TimingWheel(TICK, self.now)
        self.timers: dict[int, Timer] = {}
        self.due: dict[int, int] = {}
        self.last = 0

    def tick(self, seconds: float) -> int:
        return math.ceil(seconds / TICK)

    @rule(delay=DELAYS)
    def schedule(self, delay: float) -> None:
        self.last += 1
        due = self.now + delay
        self.timers[self.last] = self.wheel.schedule(due, self.last)
        self.due[self.last] = max(self.tick(due), math.floor(self.now / TICK) + 1)

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        number = data.draw(st.sampled_from(sorted(self.timers)))
        assert self.wheel.cancel(self.timers[number]) == (number in self.due)
        self.due.pop(number, None)
        assert not self.wheel.cancel(self.timers[number])

    @rule(seconds=st.one_of(st.floats(0, 0.1), st.floats(0, 100), st.floats(0, 3000)))
    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.expect_what_is_due()

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def advance_to_a_timer(self, data: Any) -> None:
        soon = sorted(self.due.values())[:3]
        ticks = data.draw(st.sampled_from(soon)) - math.floor(self.now / TICK)
        if ticks < 2_000_000:  # A look at every tick between: hours are enough.
            self.now += (ticks + data.draw(st.sampled_from([-1, 0, 1]))) * TICK
            self.now = max(self.now, 1234.5)
            self.expect_what_is_due()

    def expect_what_is_due(self) -> None:
        last = math.floor(self.now / TICK)
        given_out = self.wheel.advance(self.now)
        expected = {number: tick for number, tick in self.due.items() if tick <= last}
        assert sorted(given_out) == sorted(expected)
        ticks = [expected[number] for number in given_out]
        assert ticks == sorted(ticks)
        for number in given_out:
            del self.due[number]

    @invariant()
    def counts(self) -> None:
        assert len(self.wheel) == len(self.due)


WheelMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestWheel = WheelMachine.TestCase


@settings(max_examples=1, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_a_million_timers_expire_each_once_and_in_their_tick(seed: int) -> None:
    chance = random.Random(seed)
    wheel: TimingWheel[int] = TimingWheel(tick_seconds=1)
    dues = [chance.randrange(1, 600_000) for _ in range(1_000_000)]
    timers = [wheel.schedule(tick, tick) for tick in dues]
    for place in range(0, len(dues), 1000):
        assert wheel.cancel(timers[place])
    expected = Counter(dues)
    expected.subtract(dues[::1000])
    now, given_out = 0, Counter[int]()
    while len(wheel):
        step = chance.choice([1, 7, 4095, 4096, 4097, 50_000])
        counted = Counter(wheel.advance(now + step))
        assert all(now < tick <= now + step for tick in counted)
        given_out.update(counted)
        now += step
    assert +expected == given_out


def test_a_timer_of_the_past_expires_with_the_next_tick() -> None:
    wheel: TimingWheel[str] = TimingWheel(TICK, 100.0)
    wheel.schedule(3.0, "late")
    assert wheel.advance(100.0) == []
    assert wheel.advance(100.011) == ["late"]


def test_what_is_scheduled_while_others_expire_is_not_lost() -> None:
    wheel: TimingWheel[int] = TimingWheel(TICK)
    wheel.schedule(0.05, 1)
    assert wheel.advance(0.05) == [1]
    wheel.schedule(0.05, 2)
    assert wheel.advance(0.055) == []
    assert wheel.advance(0.06) == [2]
