"""What is wrong with the installation itself, so that somebody must look: its processes."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from plans import conf
from plans.engine import queue
from plans.engine.worker_info import WorkerInfo
from plans.errors import RedisUnavailable
from plans.models import ACTIVE_STATES, Leadership, Task

CONDUCTOR = "conductor"
SILENT_SECONDS = 5.0
"""A worker says every second that it is alive."""
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Alarm:
    """`name` tells it from others, `title` is what it is about; `since` where it is known."""

    name: str
    title: str
    text: str
    since: datetime | None = None


def alarms() -> list[Alarm]:
    """The worst first. Two statements; Redis is asked every two seconds at most."""
    found = []
    if (alarm := _no_conductor()) is not None:
        found.append(alarm)
    workers = _look.workers()
    if workers is None:
        text = _("Redis is away: nothing new is picked up until it is back. Nothing is lost.")
        return [*found, Alarm("redis", _("Redis"), text)]
    if not workers and Task.objects.filter(state__in=ACTIVE_STATES).exists():
        text = _("No worker is alive, and tasks are under way: start one with manage.py worker.")
        found.append(Alarm("workers", _("Workers"), text))
    silent = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    for worker in workers:
        if worker["last_heartbeat"] < silent:
            values = {"name": worker["name"], "host": worker["hostname"], "busy": worker["busy"]}
            text = _("Worker %(name)s on %(host)s is silent; it had %(busy)s tasks.") % values
            name = f"worker-{worker['name']}"
            found.append(Alarm(name, _("Workers"), text, worker["last_heartbeat"]))
    return found


def _no_conductor() -> Alarm | None:
    leaders = Leadership.objects.filter(role=CONDUCTOR)
    if leaders.filter(expires_at__gt=Now()).exists():
        return None
    last = leaders.values_list("seen_at", flat=True).first()
    text = _("No conductor leads: nothing that waits goes on. Start one with manage.py conductor.")
    return Alarm("conductor", _("Conductor"), text, last)


class _Look:
    """Remembers what Redis said for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._workers: list[WorkerInfo] | None = None

    def workers(self) -> list[WorkerInfo] | None:
        """None: Redis is away."""
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    client = queue.impatient(conf.LOOK_TIMEOUT_SECONDS)
                    self._workers = queue.workers(connection=client)
                except RedisUnavailable:
                    self._workers = None
                self._until = time.monotonic() + LOOK_SECONDS
            return self._workers


_look = _Look()
