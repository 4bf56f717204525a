"""The record of calls: what came in, when, what was answered, whether it had an effect."""

import json
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

MAX_CALLS = 500_000
MAX_BODY_KEPT_BYTES = 2_000

# Wall time is monotonic time plus this, so that both always tell the same order.
_WALL_OFFSET = time.time() - time.monotonic()


class Call:
    """One call. `ended` and `status` stay None while no (whole) answer was given."""

    __slots__ = (
        "applied",
        "body",
        "ended",
        "fault",
        "fence",
        "idempotency_key",
        "instance",
        "method",
        "n",
        "path",
        "started",
        "status",
        "step",
        "tenant",
    )

    def __init__(self, n: int, step: str, method: str, path: str) -> None:
        self.n = n
        self.started = time.monotonic()
        self.ended: float | None = None
        self.step = step
        self.method = method
        self.path = path
        self.tenant: str | None = None
        self.instance: int | None = None
        self.body = b""
        self.status: int | None = None
        self.fence: int | None = None
        self.idempotency_key: str | None = None
        self.applied = False
        self.fault: str | None = None

    def end(self, status: int | None) -> None:
        self.ended = time.monotonic()
        self.status = status

    def as_json(self) -> dict[str, Any]:
        """Times in seconds: `started`, `ended` monotonic, `startedAt`, `endedAt` since 1970."""
        return {
            "n": self.n,
            "started": self.started,
            "ended": self.ended,
            "startedAt": self.started + _WALL_OFFSET,
            "endedAt": None if self.ended is None else self.ended + _WALL_OFFSET,
            "step": self.step,
            "method": self.method,
            "path": self.path,
            "tenant": self.tenant,
            "instance": self.instance,
            "body": _readable(self.body),
            "status": self.status,
            "fence": self.fence,
            "idempotencyKey": self.idempotency_key,
            "applied": self.applied,
            "fault": self.fault,
        }


def _readable(body: bytes) -> Any:
    """The JSON value in `body`; its text if it is not JSON; None if it is empty."""
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


class Record:
    """The last MAX_CALLS calls in order of arrival; `n` counts on over a clearing."""

    def __init__(self) -> None:
        self.last = 0
        self._calls: deque[Call] = deque(maxlen=MAX_CALLS)

    def begin(self, step: str, method: str, path: str) -> Call:
        self.last += 1
        call = Call(self.last, step, method, path)
        self._calls.append(call)
        return call

    def after(self, n: int, tenant: str | None = None) -> Iterator[Call]:
        """Calls with a number above `n`, oldest first."""
        if not self._calls:
            return
        skipped = max(0, n + 1 - self._calls[0].n)
        for call in islice(self._calls, skipped, None):
            if tenant is None or call.tenant == tenant:
                yield call

    def clear(self) -> None:
        self._calls.clear()
