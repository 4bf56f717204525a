"""One outgoing HTTP call: bounded in time and size, and every way to fail has its error."""

import json as jsonlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple, NoReturn
from urllib.parse import quote

import httpcore

from plans import conf
from plans.clients.address import shown, written_problems
from plans.clients.connections import Connections
from plans.clients.network import ForbiddenAddress
from plans.clients.retry_after import retry_after_seconds
from plans.clients.streams import DeadlineBackend, Exchange, current
from plans.errors import (
    EndpointForbidden,
    ServiceBadAnswer,
    ServiceRejected,
    ServiceTimeout,
    ServiceUnavailable,
    ServiceUnreachable,
)

Service = Literal["OB_SERVICE", "GATEWAY", "INSTANCE", "NOTIFY"]

RETRYABLE_REFUSALS = frozenset({408, 425, 429})
REPEATABLE_METHODS = frozenset({"GET", "PUT"})
SPARE_CONNECTIONS = 16
SCHEMES = (b"http", b"https")


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Call:
    """What makes a call safe to repeat and to refuse.

    `before` runs right before each request is sent; it raises `plans.errors.Superseded` when the
    lease is lost, and then nothing is sent.
    """

    idempotency_key: str
    fence: int
    before: Callable[[], None] = _nothing


class Answer(NamedTuple):
    """What a service said: the JSON object (empty for an empty body), and the headers.

    Names of headers are in lower case.
    """

    body: dict[str, Any]
    headers: dict[str, str]


class Caller:
    """Calls one kind of service over connections that all threads of the process share."""

    def __init__(self, service: Service, connections: Connections, *, guarded: bool) -> None:
        self.service = service
        self._connections = connections
        self._guarded = guarded

    def request(
        self, method: str, url: str, call: Call | None = None, json: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request and read its answer, within `conf.HTTP_TIMEOUT_SECONDS` altogether.

        Raises the `ServiceError`s of `plans.errors`, and what `call.before` raises.
        """
        sending = _Sending(self, method, url, call, json)
        exchange = Exchange(deadline=time.monotonic() + conf.HTTP_TIMEOUT_SECONDS)
        if self._guarded and (problems := written_problems(url)):
            sending.forbid(problems[0].english)
        try:
            status, headers, content = self._exchange(sending, exchange)
        except httpcore.TimeoutException:
            raise ServiceTimeout(
                self.service, **sending.named, seconds=conf.HTTP_TIMEOUT_SECONDS
            ) from None
        except ForbiddenAddress as forbidden:
            sending.forbid(forbidden.problem.english)
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, UnicodeError):
            sending.forbid("it cannot be written as a request")
        except httpcore.RemoteProtocolError as error:
            # An answer that breaks off and one that is no HTTP are the same to the library.
            if exchange.ended:
                raise ServiceUnreachable(
                    self.service, **sending.named, cause="the connection was closed"
                ) from error
            sending.reject_answer("it is not HTTP")
        except httpcore.NetworkError as error:
            raise ServiceUnreachable(self.service, **sending.named, cause=_cause(error)) from error
        if not 200 <= status < 300:
            sending.refuse(status, headers)
        return Answer(sending.parse(content), headers)

    def _exchange(
        self, sending: "_Sending", exchange: Exchange
    ) -> tuple[int, dict[str, str], bytes]:
        token = current.set(exchange)
        try:
            try:
                return self._send(sending)
            except (httpcore.RemoteProtocolError, httpcore.NetworkError):
                # A server may close an idle connection just when it is used again.
                if not exchange.reused or exchange.answered or not sending.is_repeatable:
                    raise
                exchange.ended = False
                return self._send(sending, fresh=True)
        finally:
            current.reset(token)

    def _send(
        self, sending: "_Sending", *, fresh: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        url = _parsed(sending.url)
        if sending.call is not None:
            sending.call.before()
        with (
            self._connections.to(url, fresh=fresh) as connection,
            connection.stream(
                sending.method, url, headers=sending.headers, content=sending.content
            ) as response,
        ):
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            content = b""
            for chunk in response.iter_stream():
                content += chunk
                if len(content) > conf.HTTP_ANSWER_MAX_BYTES:
                    sending.reject_answer(f"it is larger than {conf.HTTP_ANSWER_MAX_BYTES} bytes")
            return response.status, headers, content


class _Sending:
    """One request on its way, and how its failures are told."""

    def __init__(
        self,
        caller: Caller,
        method: str,
        url: str,
        call: Call | None,
        json: dict[str, Any] | None,
    ) -> None:
        self.service = caller.service
        self.method = method
        self.url = url
        self.call = call
        self.named = {"method": method, "url": shown(url)}
        self.is_repeatable = method in REPEATABLE_METHODS
        self.headers = [("Accept", "application/json"), ("User-Agent", "bluegreen")]
        self.content = None
        if call is not None:
            self.headers.append(("Idempotency-Key", call.idempotency_key))
            self.headers.append(("Bluegreen-Fence", str(call.fence)))
        if json is not None:
            self.headers.append(("Content-Type", "application/json"))
            self.content = jsonlib.dumps(json).encode()

    def parse(self, content: bytes) -> dict[str, Any]:
        """The answer's JSON object; raises ServiceBadAnswer."""
        if not content.strip():
            return {}
        try:
            body = jsonlib.loads(content)
        except (ValueError, RecursionError):
            self.reject_answer("it is not JSON")
        if not isinstance(body, dict):
            self.reject_answer("it is not a JSON object")
        return body

    def reject_answer(self, cause: str) -> NoReturn:
        raise ServiceBadAnswer(self.service, **self.named, cause=cause) from None

    def forbid(self, cause: str) -> NoReturn:
        raise EndpointForbidden(self.service, **self.named, cause=cause) from None

    def refuse(self, status: int, headers: dict[str, str]) -> NoReturn:
        """Raise the error that belongs to a status other than 2xx."""
        asked = retry_after_seconds(headers.get("retry-after"))
        if status >= 500:
            raise ServiceUnavailable(
                self.service, **self.named, status=status, retry_after_seconds=asked
            )
        if status >= 400:
            raise ServiceRejected(
                self.service,
                **self.named,
                status=status,
                retryable=status in RETRYABLE_REFUSALS,
                retry_after_seconds=asked,
            )
        self.reject_answer(f"status {status}; redirects are not followed")


def _cause(error: BaseException) -> str:
    """What broke, in the system's words, which name no credentials."""
    below: BaseException | None = error
    while below is not None and not isinstance(below, OSError):
        below = below.__cause__ or below.__context__
    return (below.strerror if below else None) or "the connection broke"


@cache
def _ssl_context() -> ssl.SSLContext:
    return ssl.create_default_context()


@lru_cache(maxsize=4096)
def _parsed(url: str) -> httpcore.URL:
    parsed = httpcore.URL(url.encode("ascii"))
    if parsed.scheme not in SCHEMES or not parsed.host:
        raise httpcore.UnsupportedProtocol
    return parsed


@cache
def _connections(name: str, *, guarded: bool) -> Connections:
    return Connections(
        DeadlineBackend(guarded=guarded),
        _ssl_context(),
        idle_max=conf.WORKER_THREADS + conf.HTTP_FANOUT_THREADS + SPARE_CONNECTIONS,
    )


@cache
def caller(service: Service) -> Caller:
    """The process's caller of a kind of service, made when it is first needed."""
    # Notices go to the same instances as questions do, so they share connections.
    guarded = service in ("INSTANCE", "NOTIFY")
    connections = _connections("endpoints" if guarded else service, guarded=guarded)
    return Caller(service, connections, guarded=guarded)


def request(
    service: Service,
    method: str,
    url: str,
    call: Call | None = None,
    json: dict[str, Any] | None = None,
) -> Answer:
    """Call a service; see `Caller.request`."""
    return caller(service).request(method, url, call, json)


def segment(text: str) -> str:
    """`text` quoted so that it is exactly one segment of a path."""
    quoted = quote(text, safe="", errors="surrogatepass")
    # "." and ".." would be resolved on the way.
    return quoted.replace(".", "%2E") if quoted.strip(".") == "" else quoted
