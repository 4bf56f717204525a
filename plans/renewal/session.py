"""A process's right to renew: a lease in the database, held as long as it is heard of.

Rows belong to a session, so extending is one statement, however many rows there are. A session
that was ended is over: who was frozen that long begins a new one, and wins its rows anew.
"""

import logging
import os
import secrets
import socket
import time
from datetime import UTC, datetime
from typing import Any

from django.db import Error
from django.db.models.functions import Now

from plans import conf
from plans.models import RenewalProcess
from plans.renewal.database import alive, in_seconds
from plans.renewal.figures import Tally

logger = logging.getLogger(__name__)


class Session:
    """One session; begun by `begin`. Raises `django.db.Error` when the database is away."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.process_id = 0
        self.seen_at = datetime.min.replace(tzinfo=UTC)
        """The database's time when it last heard of the session."""
        self._good_until = 0.0
        self._is_blind = False

    def begin(self) -> int:
        """Begin a new session, with no rows; its key."""
        asked = time.monotonic()
        process_id: int = RenewalProcess.objects.create(
            name=self.name,
            started_at=Now(),
            seen_at=Now(),
            expires_at=in_seconds(conf.RENEWAL_LEASE_SECONDS),
        ).pk
        self.process_id = process_id
        self._good_until = asked + conf.RENEWAL_LEASE_SECONDS
        self._is_blind = False
        self._read_time()
        return process_id

    def extend(self, tally: Tally, **figures: Any) -> bool:
        """Say that the process is alive, and what it counted; False if the session was ended."""
        asked = time.monotonic()
        try:
            extended = (
                alive()
                .filter(pk=self.process_id)
                .update(
                    seen_at=Now(),
                    expires_at=in_seconds(conf.RENEWAL_LEASE_SECONDS),
                    **vars(tally),
                    **figures,
                )
            )
        except Error:
            self._is_blind = True
            raise
        self._is_blind = False
        self._good_until = asked + conf.RENEWAL_LEASE_SECONDS if extended else 0.0
        if extended:
            self._read_time()
        return bool(extended)

    def is_good(self) -> bool:
        """Whether to go on sending.

        By the process's own clock, so one that was frozen knows it before it asks anybody. While
        the database answers nobody, keys are kept alive all the same: nobody can take them over,
        and if somebody could, Redis would take each round's end only once.
        """
        return self._is_blind or time.monotonic() < self._good_until

    def _read_time(self) -> None:
        mine = RenewalProcess.objects.filter(pk=self.process_id)
        self.seen_at = mine.values_list("seen_at", flat=True).get()

    def end(self) -> None:
        """Give everything back at once."""
        self._good_until = 0.0
        self._is_blind = False
        alive().filter(pk=self.process_id).update(ended_at=Now(), keys=0, due=0)


def end_lapsed() -> int:
    """End the sessions whose lease has run out; how many. Their rows are free then.

    This and `extend` write one row, so one of them comes first, and the other sees it.
    """
    return alive().filter(expires_at__lte=Now()).update(ended_at=Now(), keys=0, due=0)
