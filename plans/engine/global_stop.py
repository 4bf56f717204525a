"""The global stop as the engine obeys it.

Nothing is handed out: the scheduler starts nothing, the conductor rings for nothing, and no lease
can be taken. What a worker is at goes on to its stage's end; then the worker lets the task go,
and once the stop is lifted the task goes on from there.
"""

import time

from django.db.models import Exists, Q

from plans.models import Stop

LOOK_SECONDS = 1.0
"""How often a worker process looks at most: one statement, however many stages it runs."""

_seen = (-LOOK_SECONDS, False)
"""When this process looked last (monotonic seconds), and what it saw."""


def is_active() -> bool:
    """Whether everything is stopped; one statement."""
    return Stop.objects.filter(active=True).exists()


def is_not_active() -> Q:
    """The same as a condition of the statement that takes a lease."""
    return Q(~Exists(Stop.objects.filter(active=True)))


def is_noticed() -> bool:
    """Whether this process knows of a stop; what it knows is a second old at most."""
    looked_monotonic, _ = _seen
    if time.monotonic() - looked_monotonic >= LOOK_SECONDS:
        _note(is_active())
    return _seen[1]


def was_not_active() -> None:
    """A lease was taken a moment ago, so there was no stop."""
    _note(False)


def _note(active: bool) -> None:
    global _seen
    _seen = (time.monotonic(), active)
