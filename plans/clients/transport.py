"""The transports that send: each thread has its own, kept open between calls.

The library's pool walks through all its connections at each request, so one pool for all threads
would cost more CPU than the calls themselves. And its client, which would stand before a transport,
adds what no call here may have: cookies that an answer has set, redirects, proxies.
"""

import socket
import ssl
import threading
import weakref
from functools import cache

import httpcore
import httpx

from plans import conf
from plans.clients.streams import DeadlineBackend

GUARDED = frozenset({"INSTANCE", "NOTIFY"})
"""Services at addresses that tenants name, not the operator."""


class _Own(threading.local):
    """What belongs to the calling thread."""

    def __init__(self) -> None:
        self.transports: dict[str, Transport] = {}


_own = _Own()


class Transport(httpx.HTTPTransport):
    """The library's transport, whose connections come from a `DeadlineBackend`."""

    def __init__(self, backend: DeadlineBackend) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        # The library has no parameter for where connections come from; its transport only hands
        # requests to this pool and translates errors.
        self._pool = httpcore.ConnectionPool(
            ssl_context=_ssl_context(),
            # One thread sends one request at a time: there is nothing to bound.
            max_connections=None,
            max_keepalive_connections=conf.HTTP_IDLE_CONNECTIONS,
            keepalive_expiry=conf.HTTP_KEEP_ALIVE_SECONDS,
            network_backend=backend,
            socket_options=_socket_options(),
        )


def transport(service: str) -> Transport:
    """The calling thread's transport to a kind of service, made when it is first needed.

    Where it is guarded it raises ForbiddenAddress.
    """
    # Notices go to the same instances as questions do, so they share connections.
    kind = "INSTANCE" if service in GUARDED else service
    if kind not in _own.transports:
        _own.transports[kind] = _made(guarded=service in GUARDED)
    return _own.transports[kind]


def _made(*, guarded: bool) -> Transport:
    made = Transport(DeadlineBackend(guarded=guarded))
    # The library's objects refer to each other, so they outlive their thread until swept up.
    ending = weakref.finalize(threading.current_thread(), made.close)
    # Calls of other threads may still run when the process ends.
    ending.atexit = False
    return made


def _socket_options() -> list[tuple[int, int, int]]:
    # What a call has sent while the way was cut, the kernel would deliver minutes after the call
    # has ended, when another worker may have undone it.
    patience = getattr(socket, "TCP_USER_TIMEOUT", None)
    if patience is None:
        return []
    return [(socket.IPPROTO_TCP, patience, round(conf.HTTP_TIMEOUT_SECONDS * 1000))]


@cache
def _ssl_context() -> ssl.SSLContext:
    # Building one takes tens of milliseconds.
    return ssl.create_default_context()
