"""What a held renewal needs besides its rounds: to be loaded, asked for its keys, and ended."""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from plans import conf
from plans.models import Renewal, StopReason
from plans.redaction import said_by
from plans.renewal import claims
from plans.renewal.claims import Claim, News
from plans.renewal.figures import Tally
from plans.renewal.helpers import Helpers
from plans.renewal.holding import Holding
from plans.renewal.link import Link
from plans.renewal.spec import RenewalSpec
from plans.renewal.timekeeper import Timekeeper

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 0.2
AWAY_SECONDS = 1.0
NEWS_MAX = 200
"""So many rows are written down at one beat at most; the others follow."""
NEWS_SECONDS = 3.0


class Caring:
    """The renewals of one session: helpers do what may wait, the service's thread decides."""

    def __init__(
        self, timekeeper: Timekeeper, helpers: Helpers, link_of: Callable[[str], Link]
    ) -> None:
        self.holdings: dict[int, Holding] = {}
        self.ended: deque[tuple[Claim, StopReason]] = deque()
        self._timekeeper = timekeeper
        self._helpers = helpers
        self._link_of = link_of
        self._process_id = 0
        self._loading: dict[int, int] = {}
        self._unreadable: dict[int, float] = {}
        """Until when, by the monotonic clock, rows are left to others."""
        self._parting: list[News] = []

    def begin(self, process_id: int) -> None:
        """Hold nothing any more; from now on for another session."""
        self.keep_only({})
        self._process_id = process_id

    def keep_only(self, epochs: dict[int, int]) -> None:
        """Let go of what is not named, by row and epoch; load what is named and not here yet."""
        for renewal_id, holding in list(self.holdings.items()):
            if epochs.get(renewal_id) != holding.claim.epoch:
                holding = self.holdings.pop(renewal_id)
                last = holding.news()
                self._parting += [last] if last else []
                holding.close(self._timekeeper)
        for known in (self._loading, self.holdings):
            for renewal_id in known.keys() & set(epochs):
                del epochs[renewal_id]
        for renewal_id, epoch in epochs.items():
            claimed = Claim(renewal_id, epoch)
            self._loading[renewal_id] = epoch
            self._helpers.submit(lambda claimed=claimed: self._load(claimed))  # type: ignore[misc]

    def left_to_others(self) -> list[int]:
        """The rows that this process could not read a moment ago: others may be able to."""
        now = time.monotonic()
        for renewal_id, until in list(self._unreadable.items()):
            if until <= now:
                del self._unreadable[renewal_id]
        return list(self._unreadable)

    def end_what_is_over(self, now: datetime) -> None:
        """Find what has come to its end by `now`, the database's time."""
        for holding in list(self.holdings.values()):
            reason = self._why_over(holding, now)
            if reason:
                self._end(holding, reason)

    def news(self, *, all_of_it: bool = False) -> list[News]:
        """What became of the keys of some rows, or of all, since they were last written down."""
        news, self._parting = self._parting, []
        latest = time.monotonic() - (0.0 if all_of_it else NEWS_SECONDS)
        waiting = [each for each in self.holdings.values() if each.told_monotonic <= latest]
        waiting.sort(key=lambda holding: holding.told_monotonic)
        found = (holding.news() for holding in waiting[: None if all_of_it else NEWS_MAX])
        return news + [each for each in found if each is not None]

    def _why_over(self, holding: Holding, now: datetime) -> StopReason | None:
        stop, schedule = holding.stop, holding.schedule
        if stop.is_past(now) or schedule.ttl.is_over(now):
            return StopReason.DEADLINE
        if stop.count and schedule.is_over_after(stop.count, holding.link.now_ms()):
            return StopReason.COUNT
        if stop.gone and holding.is_empty():
            return StopReason.GONE
        return None

    def _end(self, holding: Holding, reason: StopReason) -> None:
        if not holding.is_closed:
            holding.close(self._timekeeper)
            self.ended.append((holding.claim, reason))

    # --- In helpers ----------------------------------------------------------------------

    def _load(self, claimed: Claim) -> None:
        is_later = False
        try:
            row = claims.read(claimed, self._process_id)
            if row is not None:
                is_later = not self._take(claimed, row)
        finally:
            if is_later:
                self._later(AGAIN_SECONDS, lambda: self._load(claimed))
            else:
                self._loading.pop(claimed.renewal_id, None)

    def _take(self, claimed: Claim, row: Renewal) -> bool:
        """Hold the row; False if its Redis does not say the time yet."""
        names = ("redis", "selector", "ttl", "interval", "stop")
        try:
            spec = RenewalSpec.model_validate({name: getattr(row, name) for name in names})
            link = self._link_of(spec.redis)
        except (ValidationError, KeyError) as error:
            # Perhaps another process has the package whose function this one lacks.
            logger.error("Renewal %s cannot be read: %s", row.name, error)
            self._unreadable[claimed.renewal_id] = (
                time.monotonic() + conf.RENEWAL_UNREADABLE_SECONDS
            )
            self._parting.append(News(claimed, 0, Tally(), str(error)))
            claims.release(self._process_id, [claimed.renewal_id])
            return True
        if not link.has_clock:
            return False
        anchor_ms = row.anchor_ms
        if anchor_ms is None:
            anchor_ms = claims.anchor(claimed, self._process_id, int(link.now_ms()))
        if anchor_ms is not None:
            holding = Holding(claimed, spec, anchor_ms, link)
            holding.has_had_keys = row.key_count > 0
            self.holdings[claimed.renewal_id] = holding
            self._look_after(holding)
        return True

    def _look_after(self, holding: Holding) -> None:
        """Ask whether its business is done, and which keys there are; again after a while."""
        if holding.is_closed:
            return
        refresh_seconds, done = holding.selector.refresh_seconds, holding.stop.done
        if refresh_seconds and holding.link.away:
            # Nothing can be renewed there now, and whoever asks there hangs, too.
            self._later(AWAY_SECONDS, lambda: self._look_after(holding))
            return
        # A list is held before anybody is asked, who may not know, or hang.
        steps = [self._bring_keys, self._ask_whether_done]
        for step in steps if holding.is_listed else reversed(steps):
            try:
                step(holding)
            except (Exception, SystemExit) as error:
                # Another package's function may raise anything; what is known goes on.
                logger.warning("Renewal %s was not looked after: %s", holding.claim, error)
                holding.last_error = said_by(error)
        again = [refresh_seconds] if refresh_seconds else []
        again += [conf.RENEWAL_DONE_SECONDS] if done else []
        if again:
            self._later(min(again), lambda: self._look_after(holding))

    def _ask_whether_done(self, holding: Holding) -> None:
        if holding.stop.done is not None and holding.stop.done():
            self._end(holding, StopReason.DONE)

    def _bring_keys(self, holding: Holding) -> None:
        if holding.asks_for_keys and not holding.is_closed:
            bring_in = holding.hold(holding.selector.select(holding.link.client))
            holding.forget_list()
            self._timekeeper.call(lambda: bring_in(self._timekeeper))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        due = time.monotonic() + seconds
        timekeeper, helpers = self._timekeeper, self._helpers

        def plan() -> None:
            timekeeper.at(due, lambda: helpers.submit(work))

        timekeeper.call(plan)
