"""The lease: the right of one worker to run one task, with an epoch that only grows.

Taken by a conditional UPDATE; extended for all tasks of a process at once by its heartbeat;
good until `LEASE_SECONDS` after the last extension, by the monotonic clock of the process, so a
worker that was frozen past its lease knows it before it asks anybody.
"""

import logging
import threading
import time

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from plans import conf
from plans.engine.clock import in_seconds
from plans.errors import Superseded
from plans.models import ACTIVE_STATES, Task

logger = logging.getLogger(__name__)


class Lease:
    """A lease that this process holds."""

    def __init__(self, task_id: int, epoch: int, taken_monotonic: float) -> None:
        self.task_id = task_id
        self.epoch = epoch
        self._good_until = taken_monotonic + conf.LEASE_SECONDS

    def extended(self, asked_monotonic: float) -> None:
        self._good_until = asked_monotonic + conf.LEASE_SECONDS

    def lost(self) -> None:
        self._good_until = 0.0

    def ensure(self) -> None:
        """Raise `Superseded` if another worker may hold the task by now."""
        if time.monotonic() >= self._good_until:
            raise Superseded(f"the lease of task {self.task_id} (epoch {self.epoch}) ran out")


_held: dict[int, Lease] = {}
_lock = threading.Lock()


def is_free() -> Q:
    """Nobody holds the task, or whoever did has not been heard of for a lease's length."""
    return Q(lease_owner="") | Q(lease_expires_at__lte=Now())


def is_due() -> Q:
    """The task is not parked, or its time has come."""
    return Q(wake_at__isnull=True) | Q(wake_at__lte=Now())


def runnable() -> QuerySet[Task]:
    """The tasks that some worker should look at now."""
    return Task.objects.filter(is_free(), is_due(), admitted=True, state__in=ACTIVE_STATES)


def keep(lease: Lease) -> None:
    """Have the heartbeat extend `lease`, which this process has just taken."""
    with _lock:
        _held[lease.task_id] = lease


def forget(lease: Lease) -> None:
    """Stop extending `lease` (a newer one of the same task stays)."""
    with _lock:
        if _held.get(lease.task_id) is lease:
            del _held[lease.task_id]


def extend_all(owner: str) -> None:
    """Extend every lease that this process still holds; waits for nobody."""
    with _lock:
        leases = list(_held.values())
    if not leases:
        return
    asked = time.monotonic()
    mine = Task.objects.filter(lease_owner=owner, pk__in=[lease.task_id for lease in leases])
    # In a transaction, so that on SQLite it queues fairly among this process's writers.
    with transaction.atomic():
        # A row that somebody has locked is asked for at the next beat: who waits for a journal
        # that is stuck has locked his task, and no other task may lose its lease for it.
        free = mine.select_for_update(no_key=True, skip_locked=True)
        extended = dict(free.values_list("pk", "lease_epoch"))
        Task.objects.filter(pk__in=list(extended)).update(
            lease_expires_at=in_seconds(conf.LEASE_SECONDS)
        )
    passed_over = [lease.task_id for lease in leases if lease.task_id not in extended]
    locked = dict(mine.filter(pk__in=passed_over).values_list("pk", "lease_epoch"))
    for lease in leases:
        if extended.get(lease.task_id) == lease.epoch:
            lease.extended(asked)
        elif locked.get(lease.task_id) != lease.epoch:
            # Finished a moment ago, or replaced: either way it is not ours to extend.
            lease.lost()
