"""What a log line is about: the plan, task, tenant, stage and epoch that run here now.

A runner binds a function, not values: it is asked only where a line is written.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging import LogRecord
from typing import Any

NAMES = ("plan", "task", "tenant", "stage", "epoch")

Fields = Callable[[], dict[str, Any]]

_current: ContextVar[Fields] = ContextVar("log_fields", default=dict)


@contextmanager
def bound(fields: Fields) -> Iterator[None]:
    """Have the lines written meanwhile, here and in threads that copy the context, carry
    `fields()`, a dict with some of `NAMES`."""
    token = _current.set(fields)
    try:
        yield
    finally:
        _current.reset(token)


def fields_of(record: LogRecord) -> dict[str, Any]:
    """What the record is about: what it was given as `extra`, and else what runs here now."""
    given = {name: getattr(record, name) for name in NAMES if hasattr(record, name)}
    # Who stores for others speaks of them, not of what runs here.
    found = given or _current.get()()
    return {name: found[name] for name in NAMES if found.get(name) is not None}
