"""The clients that send: each thread has its own, kept open between calls.

The library's pool walks through all its connections at each request, so one pool for all threads
would cost more CPU than the calls themselves.
"""

import socket
import ssl
import threading
import weakref
from functools import cache
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx

from plans import conf
from plans.clients.streams import DeadlineBackend

GUARDED = frozenset({"INSTANCE", "NOTIFY"})
"""Services at addresses that tenants name, not the operator."""


class _Own(threading.local):
    """What belongs to the calling thread."""

    def __init__(self) -> None:
        self.clients: dict[str, httpx.Client] = {}


_own = _Own()


class NoCookies(CookieJar):
    """Keeps nothing: an answer must not change what the next call sends."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Pass by what the answer sets."""


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


def client(service: str) -> httpx.Client:
    """The calling thread's client for a kind of service, made when it is first needed.

    Raises httpx.HTTPStatusError for redirects, and ForbiddenAddress where it is guarded.
    """
    # Notices go to the same instances as questions do, so they share connections.
    kind = "INSTANCE" if service in GUARDED else service
    if kind not in _own.clients:
        _own.clients[kind] = _made(guarded=service in GUARDED)
    return _own.clients[kind]


def _made(*, guarded: bool) -> httpx.Client:
    made = httpx.Client(
        transport=Transport(DeadlineBackend(guarded=guarded)),
        trust_env=False,
        follow_redirects=False,
        cookies=NoCookies(),
        event_hooks={"response": [_refuse_redirect]},
    )
    # The library's objects refer to each other, so they outlive their thread until swept up.
    ending = weakref.finalize(threading.current_thread(), made.close)
    # Calls of other threads may still run when the process ends.
    ending.atexit = False
    return made


def _refuse_redirect(response: httpx.Response) -> None:
    # The library reads where a redirect leads even when it does not follow it, and fails in its
    # own ways on what is no address.
    if response.has_redirect_location:
        response.raise_for_status()


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
