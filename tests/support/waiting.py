"""Waiting for a condition with a deadline, in place of sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.02
WAIT_SECONDS = 60.0
"""Generous: where what is waited for happens, it costs nothing."""

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value],
    timeout_seconds: float = WAIT_SECONDS,
    message: str | Callable[[], str] = "",
) -> Value:
    """Poll until `condition()` is true and return its value.

    `message` says what was waited for, or makes that text at the end, when more is known.
    Raises AssertionError when the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = message() if callable(message) else message
            text = text or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"Not within {timeout_seconds:g} s: {text} (last: {value!r})")
        time.sleep(POLL_SECONDS)
