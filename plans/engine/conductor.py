"""The conductor: everything that time does, decided from the database alone.

Due wake-ups, expired leases and missed hand-outs are one question to the database: which admitted
task is due and held by nobody? Redis may be emptied at any time.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from django.db import Error, close_old_connections, transaction
from django.db.models import Q
from django.db.models.functions import Now

from plans import conf, registry_sync
from plans.engine import gates, global_stop, leadership, queue, scheduler
from plans.engine import lease as leases
from plans.engine.clock import in_seconds
from plans.engine.database_watch import AWAY
from plans.engine.migrated import lacks_migrations
from plans.errors import BluegreenError, RedisUnavailable
from plans.models import MOVING_PLAN_STATES, Plan, Task, TaskState
from plans.slices import slices

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
"""How often every active plan is settled for what may have been missed."""
STAND_BACK_SECONDS = 2.0
"""Long enough for another conductor that is there to take the lead, short where there is none."""
MIGRATE = "The database is not up to date; waiting until somebody runs manage.py migrate"

_unsettled: dict[int, str] = {}
"""The plans that could not be settled when it was last tried, and what was said of each."""


class Conductor:
    """A loop; run two, one leads."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._stop_requested = False
        self._stands_back_until = 0.0  # on the monotonic clock
        self._settled_monotonic = 0.0
        self._synced_monotonic = 0.0
        self._syncing: threading.Thread | None = None
        self._trouble = ""

    def stop(self) -> None:
        """Leave the loop after the present round. A signal may call it: it takes no lock."""
        self._stop_requested = True

    def run(self) -> None:
        """Conduct until `stop`; an unreachable database or Redis is waited for."""
        while not self._stop_requested:
            close_old_connections()
            try:
                if self._may_lead() and leadership.lead("conductor", self.name):
                    self.conduct()
                self._trouble = ""
            except Exception as error:
                self._say_once(error)
            time.sleep(conf.CONDUCTOR_INTERVAL_SECONDS)
        with suppress(Error):  # Its lead runs out by itself.
            leadership.resign("conductor", self.name)

    def conduct(self) -> None:
        """One round."""
        if not global_stop.is_active():
            if not ring_due():
                self._stand_back()
            settle_each(gates.due_plans())
        now = time.monotonic()
        if now - self._settled_monotonic >= SETTLE_SECONDS:
            self._settled_monotonic = now
            settle_active()
        if not self._synced_monotonic or now - self._synced_monotonic >= conf.SYNC_TENANTS_SECONDS:
            self._synced_monotonic = now
            self._in_background(registry_sync.sync_tenants)

    def _say_once(self, error: Exception) -> None:
        """Log what made a round fail; the next one tries again."""
        trouble, traceback = f"A round failed; trying again: {error!r}", True
        if isinstance(error, Error) and lacks_migrations():
            trouble, traceback = MIGRATE, False
        elif isinstance(error, AWAY):
            trouble, traceback = f"The database does not answer; trying again: {error}", False
        if trouble != self._trouble:
            self._trouble = trouble
            logger.error("%s", trouble, exc_info=error if traceback else None)

    def _may_lead(self) -> bool:
        return time.monotonic() >= self._stands_back_until

    def _stand_back(self) -> None:
        """Let another lead: Redis may be away for this machine alone."""
        leadership.resign("conductor", self.name)
        self._stands_back_until = time.monotonic() + STAND_BACK_SECONDS

    def _in_background(self, work: Callable[[], object]) -> None:
        if self._syncing and self._syncing.is_alive():
            return

        def run() -> None:
            try:
                work()
            except (BluegreenError, Error) as error:
                logger.warning("Tenants were not read from the OB service: %s", error)
            finally:
                close_old_connections()

        self._syncing = threading.Thread(target=run, name="sync-tenants", daemon=True)
        self._syncing.start()


def ring_due() -> bool:
    """Ring for every task that is due, held by nobody, and was not rung a moment ago.

    False where Redis could not be told.
    """
    forgotten = Q(rung_at__isnull=True) | Q(rung_at__lte=in_seconds(-conf.RING_AGAIN_SECONDS))
    due = dict(leases.runnable().filter(forgotten).values_list("pk", "rung_at"))
    if not due:
        return True
    try:
        if any(rung_at is not None for rung_at in due.values()):
            for task_id in queue.queued_task_ids():
                due.pop(task_id, None)  # Its bell still hangs in the queue.
        task_ids = sorted(due)
        queue.ring_many(task_ids)
    except RedisUnavailable as away:
        logger.warning("%s due tasks were not rung: %s", len(due), away)
        return False
    for some in slices(task_ids):
        # Those that a worker took meanwhile have had their answer; those that somebody locks are
        # left alone: to wait for one while others are held could be a deadlock on PostgreSQL.
        unanswered = Task.objects.filter(leases.is_free(), pk__in=some)
        with transaction.atomic():
            free = unanswered.select_for_update(no_key=True, skip_locked=True).order_by("pk")
            Task.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
                rung_at=Now()
            )
    return True


def settle_active() -> None:
    """Settle every plan that may have something to hand out or to end."""
    active = set(Plan.objects.filter(state__in=MOVING_PLAN_STATES).values_list("pk", flat=True))
    active.update(
        Task.objects.filter(state=TaskState.ROLLING_BACK, admitted=False).values_list(
            "plan_id", flat=True
        )
    )
    settle_each(sorted(active))


def settle_each(plan_ids: Iterable[int]) -> None:
    """Settle these plans; one that cannot be settled holds up no other, and is said once."""
    for plan_id in plan_ids:
        try:
            scheduler.settle(plan_id)
        except AWAY:
            raise
        except Exception as error:
            if _unsettled.get(plan_id) != repr(error):
                _unsettled[plan_id] = repr(error)
                about = {"plan": plan_id}
                logger.exception("Plan %s cannot be settled; trying again", plan_id, extra=about)
        else:
            _unsettled.pop(plan_id, None)
