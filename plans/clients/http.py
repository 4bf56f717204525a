"""One outgoing HTTP call: bounded in time and size, and every way to fail has its error."""

import json as jsonlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, NoReturn
from urllib.parse import quote

import httpx
from django.utils.translation import gettext_noop as _

from plans import conf, effects
from plans.clients.address import shown, written_problems
from plans.clients.network import ForbiddenAddress
from plans.clients.retry_after import retry_after_seconds
from plans.clients.streams import Exchange, current
from plans.clients.transport import GUARDED, transport
from plans.errors import (
    EndpointForbidden,
    ServiceBadAnswer,
    ServiceRejected,
    ServiceTimeout,
    ServiceUnavailable,
    ServiceUnreachable,
)
from plans.message import Message

Service = Literal["OB_SERVICE", "GATEWAY", "INSTANCE", "NOTIFY"]

RETRYABLE_REFUSALS = frozenset({408, 425, 429})
REPEATABLE_METHODS = frozenset({"GET", "PUT"})
SCHEMES = frozenset({"http", "https"})


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
    """What a service said: the JSON object (empty for an empty body), and the headers."""

    body: dict[str, Any]
    headers: httpx.Headers


class Reply(NamedTuple):
    """What a service said, as it came."""

    content: bytes
    headers: httpx.Headers


def request(
    service: Service,
    method: str,
    url: str,
    call: Call | None = None,
    json: dict[str, Any] | None = None,
) -> Answer:
    """Send one request and read its answer, within `conf.HTTP_TIMEOUT_SECONDS` altogether.

    Raises the `ServiceError`s of `plans.errors`, and what `call.before` raises.
    """
    with _noted(service, method, url, call, json) as sending:
        reply = _reply_to(sending, conf.HTTP_TIMEOUT_SECONDS)
        return Answer(sending.parse(reply.content), reply.headers)


def fetch(
    service: Service, url: str, call: Call | None = None, timeout_seconds: float | None = None
) -> Reply:
    """GET `url` and give the answer as it came, JSON or not; otherwise as `request`.

    `timeout_seconds` None is `conf.HTTP_TIMEOUT_SECONDS`.
    """
    with _noted(service, "GET", url, call) as sending:
        return _reply_to(sending, timeout_seconds or conf.HTTP_TIMEOUT_SECONDS)


@contextmanager
def _noted(
    service: Service,
    method: str,
    url: str,
    call: Call | None,
    json: dict[str, Any] | None = None,
) -> "Iterator[_Sending]":
    """A request on its way, of which the ledger knows."""
    key, fence = (call.idempotency_key, call.fence) if call else ("", None)
    with effects.noting(service, method, shown(url), key=key, fence=fence) as effect:
        yield _Sending(service, method, url, call, json, effect)


def _reply_to(sending: "_Sending", timeout_seconds: float) -> Reply:
    service, url = sending.service, sending.url
    exchange = Exchange(deadline=time.monotonic() + timeout_seconds)
    if service in GUARDED and (problems := written_problems(url)):
        sending.forbid(problems[0])
    try:
        answer, content = _exchange(sending, exchange)
    except httpx.TimeoutException:
        raise ServiceTimeout(service, **sending.named, seconds=timeout_seconds) from None
    except ForbiddenAddress as forbidden:
        sending.forbid(forbidden.problem)
    except (
        httpx.InvalidURL,
        httpx.LocalProtocolError,
        httpx.UnsupportedProtocol,
        UnicodeError,
    ):
        sending.forbid(Message(_("it cannot be written as a request")))
    except httpx.RemoteProtocolError as error:
        # An answer that breaks off and one that is no HTTP are the same to the library.
        if exchange.ended:
            raise ServiceUnreachable(
                service, **sending.named, cause=Message(_("the connection was closed"))
            ) from error
        sending.reject_answer(_("it is not HTTP"))
    except httpx.NetworkError as error:
        raise ServiceUnreachable(service, **sending.named, cause=_cause(error)) from error
    if not answer.is_success:
        sending.refuse(answer)
    return Reply(content, answer.headers)


def _exchange(sending: "_Sending", exchange: Exchange) -> tuple[httpx.Response, bytes]:
    token = current.set(exchange)
    try:
        try:
            return _send(sending)
        except (httpx.RemoteProtocolError, httpx.NetworkError):
            # A server may close an idle connection just when it is used again. The library
            # repeats only what failed while it connected.
            if not exchange.reused or exchange.answered or not sending.is_repeatable:
                raise
            exchange.ended = False
            sending.effect.sent += 1
            return _send(sending)
    finally:
        current.reset(token)


def _send(sending: "_Sending") -> tuple[httpx.Response, bytes]:
    prepared = sending.request()
    if sending.call is not None:
        sending.call.before()
    with closing(transport(sending.service).handle_request(prepared)) as answer:
        sending.effect.status = answer.status_code
        # As it came: an answer that unpacks itself could outgrow the limit in one chunk.
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > conf.HTTP_ANSWER_MAX_BYTES:
                sending.reject_answer(
                    _("it is larger than %(limit)s bytes"), limit=conf.HTTP_ANSWER_MAX_BYTES
                )
        return answer, content


class _Sending:
    """One request on its way, and how its failures are told."""

    def __init__(
        self,
        service: Service,
        method: str,
        url: str,
        call: Call | None,
        json: dict[str, Any] | None,
        effect: effects.Effect,
    ) -> None:
        self.service = service
        self.method = method
        self.url = url
        self.call = call
        self.json = json
        self.effect = effect
        self.named = {"method": method, "url": shown(url)}
        self.is_repeatable = method in REPEATABLE_METHODS

    def request(self) -> httpx.Request:
        """What is sent, whole: nothing is added on the way.

        Raises httpx.InvalidURL and UnicodeError for what cannot be written.
        """
        headers = {"Accept": "application/json", "User-Agent": "bluegreen"}
        if self.call is not None:
            headers["Idempotency-Key"] = self.call.idempotency_key
            headers["Bluegreen-Fence"] = str(self.call.fence)
        url = _parsed(self.url)
        written = httpx.Request(
            self.method,
            url,
            headers=headers,
            json=self.json,
            # The streams keep the time, for the call as a whole.
            extensions={"timeout": {}},
        )
        if url.userinfo:  # An operator's service may stand behind a password.
            next(httpx.BasicAuth(url.username, url.password).auth_flow(written))
        return written

    def parse(self, content: bytes) -> dict[str, Any]:
        """The answer's JSON object; raises ServiceBadAnswer."""
        if not content.strip():
            return {}
        try:
            body = jsonlib.loads(content)
        except (ValueError, RecursionError):
            self.reject_answer(_("it is not JSON"))
        if not isinstance(body, dict):
            self.reject_answer(_("it is not a JSON object"))
        return body

    def reject_answer(self, template: str, /, **values: Any) -> NoReturn:
        cause = Message(template, values)
        raise ServiceBadAnswer(self.service, **self.named, cause=cause) from None

    def forbid(self, cause: Message) -> NoReturn:
        raise EndpointForbidden(self.service, **self.named, cause=cause) from None

    def refuse(self, answer: httpx.Response) -> NoReturn:
        """Raise the error that belongs to a status other than 2xx."""
        status = answer.status_code
        asked = retry_after_seconds(answer.headers.get("retry-after"))
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
        self.reject_answer(_("status %(status)s; redirects are not followed"), status=status)


def _cause(error: BaseException) -> str | Message:
    """What broke, in the system's words, which name no credentials."""
    below: BaseException | None = error
    while below is not None and not isinstance(below, OSError):
        below = below.__cause__ or below.__context__
    return (below.strerror if below else None) or Message(_("the connection broke"))


@lru_cache(maxsize=4096)
def _parsed(url: str) -> httpx.URL:
    parsed = httpx.URL(url)
    # Names outside ASCII could be shown as one host and called as another.
    if not url.isascii() or parsed.scheme not in SCHEMES or not parsed.host:
        raise httpx.InvalidURL("not an address of http or https")
    return parsed


def segment(text: str) -> str:
    """`text` quoted so that it is exactly one segment of a path."""
    quoted = quote(text, safe="", errors="surrogatepass")
    # "." and ".." would be resolved on the way.
    return quoted.replace(".", "%2E") if quoted.strip(".") == "" else quoted
