"""Who is told of every committed event (S9.5).

A listener is a callable that takes one `Event`. Register one with `register`, or from another
package through an entry point in the group `bluegreen.listeners`. A listener that raises is
logged and harms nobody: what must not be lost is in the database before it is called.
"""

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any

from plans.models import Event, EventKind

Listener = Callable[[Event], None]

logger = logging.getLogger("plans.events")
operators = logging.getLogger("plans.operators")

_listeners: list[Listener] = []

NEEDS_A_PERSON = frozenset(
    {
        EventKind.TASK_FAILED,
        EventKind.TASK_ROLLBACK_FAILED,
        EventKind.PLAN_HALTED,
        EventKind.STOP_CALLED,
    }
)

DETAILS = frozenset(
    {
        EventKind.TASK_CREATED,
        EventKind.TASK_VALIDATED,
        EventKind.TASK_PROGRESS,
        EventKind.TASK_WAITING,
        EventKind.STAGE_STARTED,
        EventKind.STAGE_COMPLETED,
        EventKind.STAGE_SKIPPED,
    }
)


def register(listener: Listener) -> Listener:
    """Have `listener` called with every committed event; also usable as a decorator."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def unregister(listener: Listener) -> None:
    """Stop telling `listener`."""
    _listeners.remove(listener)


def load_entry_points() -> None:
    """Register what installed packages offer."""
    for entry in entry_points(group="bluegreen.listeners"):
        register(entry.load())


def tell(events: Iterable[Event]) -> None:
    """Call every listener with every event."""
    for event in events:
        for listener in _listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("Listener %r failed at %s", listener, event)


@register
def log(event: Event) -> None:
    """One line an event; what happens in the course of a task only at level DEBUG."""
    level = logging.DEBUG if event.kind in DETAILS else logging.INFO
    if logger.isEnabledFor(level):
        logger.log(
            level,
            "%s plan=%s task=%s tenant=%s by=%s%s",
            event.kind,
            event.plan_id,
            event.task_id,
            event.tenant_id,
            event.actor,
            f" epoch={event.epoch}" if event.epoch else "",
            extra=_fields(event),
        )


@register
def notify_operators(event: Event) -> None:
    """Say in the operators' log what waits for a person."""
    if event.kind in NEEDS_A_PERSON:
        operators.warning(
            "%s needs a decision: plan %s, tenant %s: %s",
            EventKind(event.kind).label,
            event.plan_id,
            event.tenant_id or "-",
            event.reason,
            extra=_fields(event),
        )


def _fields(event: Event) -> dict[str, Any]:
    """What a log line of this event is about."""
    return {
        "plan": event.plan_id,
        "task": event.task_id,
        "tenant": event.tenant_id,
        "stage": event.data.get("stage"),
        "epoch": event.epoch,
    }
