"""The service: wheel, links and helpers of one process, and the beat that ties them to the rows."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from django.db import Error, close_old_connections
from redis import Redis

from plans import conf
from plans.renewal import claims, plan_keys, session, tidying
from plans.renewal.caring import Caring
from plans.renewal.figures import Figures
from plans.renewal.helpers import Helpers
from plans.renewal.link import Link
from plans.renewal.links import CLIENTS
from plans.renewal.timekeeper import Timekeeper

logger = logging.getLogger(__name__)

HELPERS = 8
GRACE_SECONDS = 3.0
TIDY_SECONDS = 600.0


class RenewalService:
    """Renews what it wins of the active rows. Run several; they share the rows."""

    def __init__(self, clients: Mapping[str, Callable[[], Redis]] = CLIENTS) -> None:
        self.figures = Figures()
        self.session = session.Session()
        self.timekeeper = Timekeeper(conf.RENEWAL_TICK_SECONDS)
        self._clients = clients
        self._helpers = Helpers(HELPERS)
        self._links: dict[str, Link] = {}
        self._linking = threading.Lock()
        self.caring = Caring(self.timekeeper, self._helpers, self._link_of)
        self._stop_requested = False
        self._tidied_monotonic = time.monotonic()

    def stop(self) -> None:
        """Have `run` give everything back and return. A signal may call it: it takes no lock."""
        self._stop_requested = True

    def run(self) -> None:
        """Renew until `stop`; an unreachable database or Redis is waited for."""
        self.timekeeper.start()
        self._helpers.start()
        try:
            while not self._stop_requested:
                close_old_connections()
                try:
                    self._beat()
                except Error as error:
                    logger.warning("The database does not answer; trying again: %s", error)
                except Exception:
                    logger.exception("A beat failed; trying again")
                time.sleep(conf.RENEWAL_BEAT_SECONDS)
        finally:
            self._close()

    def _beat(self) -> None:
        """Say that we live; see what ended, what is free, what is whose."""
        self._helpers.relieve()
        process_id = self._extend()
        session.end_lapsed()
        plan_keys.make_missing()
        mine = claims.held_by(process_id)
        self.caring.end_what_is_over(self.session.seen_at)
        while self.caring.ended:
            claimed, reason = self.caring.ended[0]
            claims.stop(claimed, process_id, reason)
            self.caring.ended.popleft()
            mine.pop(claimed.renewal_id, None)
        share = claims.fair_share()
        if len(mine) > share:
            surplus = sorted(mine)[share:]
            mine = {pk: epoch for pk, epoch in mine.items() if pk not in set(surplus)}
            self.caring.keep_only(dict(mine))
            claims.write_down(self.caring.news())
            claims.release(process_id, surplus)
        elif len(mine) < share:
            without = self.caring.left_to_others()
            if claims.claim(process_id, share - len(mine), without):
                mine = claims.held_by(process_id)
        self.caring.keep_only(mine)
        claims.write_down(self.caring.news())
        if time.monotonic() - self._tidied_monotonic >= TIDY_SECONDS:
            self._tidied_monotonic = time.monotonic()
            tidying.tidy()

    def _extend(self) -> int:
        process_id = self.session.process_id
        holdings = list(self.caring.holdings.values())
        if process_id and self.session.extend(
            self.figures.copy(),
            keys=sum(holding.key_count() for holding in holdings),
            due=sum(holding.waiting_count() for holding in holdings),
            worst_ms=self.figures.worst_ms(),
            away={name: link.away for name, link in self._links.items() if link.away},
        ):
            return process_id
        if process_id:
            logger.warning("This process was not heard of for too long; it begins anew")
        self.figures.begin_anew()
        process_id = self.session.begin()
        self.caring.begin(process_id)
        return process_id

    def _link_of(self, name: str) -> Link:
        with self._linking:
            link = self._links.get(name)
            if link is None:
                client = self._clients[name]()
                link = Link(name, client, self.figures, self.session.is_good, self._begin_anew)
                link.start()
                self._links[name] = link
            return link

    def _begin_anew(self, link: Link) -> None:
        for holding in list(self.caring.holdings.values()):
            if holding.link is link:
                self.timekeeper.call(lambda h=holding: h.begin_anew(self.timekeeper))  # type: ignore[misc]

    def _close(self) -> None:
        self.timekeeper.stop()
        self._helpers.stop(GRACE_SECONDS / 2)
        for link in self._links.values():
            link.stop(GRACE_SECONDS)
        try:
            if self.session.process_id:
                self._extend()
                claims.write_down(self.caring.news(all_of_it=True))
                self.session.end()
        except Error as error:
            logger.warning("The database was not told of the end; the lease says it: %s", error)
