"""Connections that are kept open between calls.

The library's own pool walks through all its connections at each request, and once more for each
idle one: with 32 idle connections that is a millisecond of CPU a call. Here a call takes what it
needs by its origin, and who calls bounds how many are open.
"""

import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from plans import conf

Origin = tuple[bytes, bytes, int | None]


class Connections:
    """Idle connections by origin, shared by all threads of the process."""

    def __init__(
        self, backend: httpcore.NetworkBackend, ssl_context: ssl.SSLContext, idle_max: int
    ) -> None:
        self._backend = backend
        self._ssl_context = ssl_context
        self._idle_max = idle_max
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[httpcore.HTTPConnection]] = {}
        self._by_age: OrderedDict[httpcore.HTTPConnection, Origin] = OrderedDict()

    @contextmanager
    def to(self, url: httpcore.URL, *, fresh: bool = False) -> Iterator[httpcore.HTTPConnection]:
        """A connection for one request to `url`, for this thread alone; a new one if `fresh`."""
        origin = (url.scheme, url.host, url.port)
        connection = (None if fresh else self._take(origin)) or httpcore.HTTPConnection(
            origin=url.origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=conf.HTTP_KEEP_ALIVE_SECONDS,
            network_backend=self._backend,
        )
        try:
            yield connection
        finally:
            if connection.is_available():
                self._keep(origin, connection)
            else:
                connection.close()

    def _take(self, origin: Origin) -> httpcore.HTTPConnection | None:
        """The idle one that was used last, if the other side has not closed it."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                if not idle:
                    return None
                connection = idle[-1]
                self._forget(connection)
            if not connection.has_expired():
                return connection
            connection.close()

    def _keep(self, origin: Origin, connection: httpcore.HTTPConnection) -> None:
        with self._lock:
            self._idle.setdefault(origin, []).append(connection)
            self._by_age[connection] = origin
            eldest = next(iter(self._by_age))
            # One a call is enough to let those go to which nobody returns.
            ending = len(self._by_age) > self._idle_max or eldest.has_expired()
            if ending:
                self._forget(eldest)
        if ending:
            eldest.close()

    def _forget(self, connection: httpcore.HTTPConnection) -> None:
        origin = self._by_age.pop(connection)
        self._idle[origin].remove(connection)
        if not self._idle[origin]:
            del self._idle[origin]
