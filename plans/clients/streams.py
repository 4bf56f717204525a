"""Connections that keep a deadline for the whole call, not one for each read.

A server that sends one byte a second would otherwise hold a call for ever.
"""

import socket
import ssl
import struct
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore

from plans.clients.network import allowed_addresses, resolve


@dataclass(slots=True)
class Exchange:
    """One request and its answer, as the connection sees them."""

    deadline: float
    """On `time.monotonic()`."""
    reused: bool = False
    """The request went over a connection that had already carried an answer."""
    answered: bool = False
    """At least one byte of an answer has arrived."""
    ended: bool = False
    """The other side closed the connection."""

    def remaining(self) -> float:
        """Seconds left, zero or less when there are none."""
        return self.deadline - time.monotonic()


current: ContextVar[Exchange] = ContextVar("bluegreen_exchange")

_TIMED_OUT = (BlockingIOError, TimeoutError)
"""What the kernel says where the time of a call is over, or that of what it has sent."""


class PlainStream(httpcore.NetworkStream):
    """A connection without TLS, whose time-outs the kernel keeps.

    Python's own cost two more calls of the kernel at each read and write, and with many threads
    each of them may cost the interpreter's lock.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._socket.settimeout(None)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._give_up_after(socket.SO_RCVTIMEO, timeout)
        try:
            return self._socket.recv(max_bytes)
        except _TIMED_OUT as error:
            raise httpcore.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        rest = memoryview(buffer)
        while rest:
            # The other side may take it a few bytes at a time.
            self._give_up_after(socket.SO_SNDTIMEO, None if end is None else end - time.monotonic())
            try:
                rest = rest[self._socket.send(rest) :]
            except _TIMED_OUT as error:
                raise httpcore.WriteTimeout(error) from error
            except OSError as error:
                raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection as the library's own stream, encrypted."""
        return self._stream.start_tls(ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _give_up_after(self, option: int, seconds: float | None) -> None:
        # To the kernel, zero is for ever.
        microseconds = max(1, int(seconds * 1e6)) if seconds is not None else 0
        timeval = struct.pack("ll", *divmod(microseconds, 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, option, timeval)


class DeadlineStream(httpcore.NetworkStream):
    """A stream that gives each operation only what is left for the current exchange."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._has_answered = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        exchange = current.get()
        remaining = exchange.remaining()
        if remaining <= 0:
            raise httpcore.ReadTimeout
        data = self._stream.read(max_bytes, remaining)
        if data:
            exchange.answered = self._has_answered = True
        else:
            exchange.ended = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        exchange = current.get()
        exchange.reused = self._has_answered
        remaining = exchange.remaining()
        if remaining <= 0:
            raise httpcore.WriteTimeout
        self._stream.write(buffer, remaining)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        remaining = current.get().remaining()
        if remaining <= 0:
            raise httpcore.ConnectTimeout
        # Certificates do not carry the root's trailing dot.
        name = server_hostname.removesuffix(".") if server_hostname else None
        return DeadlineStream(self._stream.start_tls(ssl_context, name, remaining))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """Opens streams that keep the deadline; `guarded` ones only to allowed addresses."""

    def __init__(self, *, guarded: bool) -> None:
        self._addresses = allowed_addresses if guarded else resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the host's addresses.

        Raises ForbiddenAddress (guarded only), httpcore.ConnectTimeout, httpcore.ConnectError.
        """
        exchange = current.get()
        try:
            addresses = self._addresses(host, exchange.remaining())
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for untried, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            # An address that swallows packets must leave time for the next one.
            share = exchange.remaining() / untried
            if share <= 0:
                raise httpcore.ConnectTimeout
            try:
                opened = super().connect_tcp(address, port, share, local_address, socket_options)
                return DeadlineStream(PlainStream(opened))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
