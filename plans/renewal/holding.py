"""A renewal in the hands of this process: its keys in portions, called round by round."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from plans.renewal.claims import Claim, News
from plans.renewal.figures import Tally
from plans.renewal.link import Link
from plans.renewal.portion import Portion
from plans.renewal.schedule import Schedule
from plans.renewal.selector import KeyList, Selector
from plans.renewal.spec import RenewalSpec
from plans.renewal.stop import StopConditions
from plans.renewal.timekeeper import Timekeeper
from plans.renewal.wheel import Timer


class Holding:
    """The keys of one renewal. The wheel's thread calls, others bring the keys."""

    def __init__(self, claim: Claim, spec: RenewalSpec, anchor_ms: int, link: Link) -> None:
        self.claim = claim
        self.link = link
        self.schedule = Schedule(spec.interval, spec.ttl, anchor_ms, claim.renewal_id)
        self.stop: StopConditions = spec.stop
        self.selector: Selector = spec.selector
        self.is_closed = False
        self.last_error = ""
        self.tally = Tally()
        """What became of its keys since it was last written down."""
        self.told_monotonic = 0.0
        self._told = (0, "")
        self.has_had_keys = False
        self.is_loaded = False
        self._has_list = False
        self.is_listed = isinstance(spec.selector, KeyList)
        self._portions: dict[int, Portion] = {}
        self._timers: dict[int, Timer] = {}

    @property
    def lets_gone_keys_go(self) -> bool:
        """Whether a key that is gone is not looked for again."""
        return self.stop.gone and self.is_listed

    def key_count(self) -> int:
        return sum(len(portion.keys) for portion in list(self._portions.values()))

    def waiting_count(self) -> int:
        """How many keys are due and not renewed."""
        found = list(self._portions.values())
        return sum(len(portion.keys) for portion in found if portion.is_waiting)

    def is_beyond_count(self, round_: int) -> bool:
        """Whether the round is not one of those that were asked for."""
        return self.stop.count is not None and not 0 <= round_ < self.stop.count

    def note(self, tally: Tally) -> None:
        # Threads may lose each other's additions here: these figures are for people only.
        self.tally.add(tally)

    def is_empty(self) -> bool:
        """Whether it had keys, and none is left."""
        return self.is_loaded and self.has_had_keys and not self.key_count()

    def news(self) -> News | None:
        """What became of its keys since this was asked last; None for nothing."""
        key_count, error = self.key_count(), self.last_error
        tally, self.tally = self.tally, Tally()
        self.told_monotonic = time.monotonic()
        if tally == Tally() and (key_count, error) == self._told:
            return None
        self._told = (key_count, error)
        return News(self.claim, key_count, tally, error)

    @property
    def asks_for_keys(self) -> bool:
        """Whether the selector is still needed: a list is read once."""
        return not (self.is_listed and self._has_list)

    def forget_list(self) -> None:
        """The keys are in the portions; the list of the row is not needed any more."""
        if self.is_listed:
            self.selector = Selector()
            self._has_list = True

    def hold(self, keys: Iterable[bytes]) -> Callable[[Timekeeper], None]:
        """Divide `keys` into portions; returns what brings them in, to be called by the wheel.

        The dividing takes its time, so that is done in the thread that calls this.
        """
        parts: dict[int, list[bytes]] = defaultdict(list)
        part_of = self.schedule.part_of
        for key in keys:
            parts[part_of(key)].append(key)
        divided = {part: tuple(dict.fromkeys(found)) for part, found in parts.items()}
        return lambda timekeeper: self._bring_in(divided, timekeeper)

    def begin_anew(self, timekeeper: Timekeeper) -> None:
        """Plan all portions again; called by the wheel after Redis's clock has moved."""
        for portion in self._portions.values():
            portion.begin_anew()
            self._plan(portion, timekeeper, None)
            self.link.put(portion)

    def close(self, timekeeper: Timekeeper) -> None:
        """Nothing of it is sent any more."""
        self.is_closed = True
        timekeeper.call(lambda: self._forget(timekeeper))

    def _forget(self, timekeeper: Timekeeper) -> None:
        for timer in self._timers.values():
            timekeeper.cancel(timer)
        self._timers.clear()
        self._portions.clear()

    def _bring_in(self, divided: dict[int, tuple[bytes, ...]], timekeeper: Timekeeper) -> None:
        if self.is_closed:
            return
        for part in self._portions.keys() - divided.keys():
            self._portions.pop(part).keys = ()
            timekeeper.cancel(self._timers.pop(part))
        self.has_had_keys |= bool(divided)
        self.is_loaded = True
        for part, keys in divided.items():
            portion = self._portions.get(part)
            if portion is None:
                portion = self._portions[part] = Portion(self, part, keys)
                self._plan(portion, timekeeper, None)
            elif set(keys) <= set(portion.keys):
                portion.keys = keys
                continue
            else:
                portion.keys = keys
                portion.looks_first = True
            # Nobody knows how long a new key has to live.
            self.link.put(portion)

    def _plan(self, portion: Portion, timekeeper: Timekeeper, after: int | None) -> None:
        """Have the wheel call the round after round `after`, or after what is due now."""
        schedule, part = self.schedule, portion.part
        now = schedule.round_at(part, self.link.now_ms())
        round_ = (now if after is None else max(after, now)) + 1
        due_ms = schedule.due_ms(part, round_)

        def call() -> None:
            if self._portions.get(part) is portion:
                portion.call(round_, due_ms)
                self.link.put(portion, is_due=True)
                self._plan(portion, timekeeper, round_)

        planned = self._timers.get(part)
        if planned is not None:
            timekeeper.cancel(planned)
        self._timers[part] = timekeeper.at(self.link.monotonic(due_ms), call)
