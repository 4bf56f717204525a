"""Where outgoing calls may go: names are resolved once, and every address is checked.

The list of allowed networks is `conf.ALLOWED_ENDPOINT_NETWORKS`. What is checked is the address
that is then connected to, so a name that changes its answer between the two gains nothing.
"""

import queue
import socket
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.clients.address import host_of, literal, written_problems
from plans.message import Message

VERDICT_SECONDS = 10.0
"""How long `check_endpoint` remembers what it found for a host; calls always look again."""

Address = IPv4Address | IPv6Address


class ForbiddenAddress(Exception):
    """The host is, at least in part, at an address that is not allowed."""

    def __init__(self, problem: Message) -> None:
        self.problem = problem
        super().__init__(problem.english)


def check_endpoint(url: str) -> list[Message]:
    """Everything that speaks against calling `url`; empty when it may be called.

    Looks the name up, so it may take up to `conf.HTTP_TIMEOUT_SECONDS`.
    """
    problems = list(written_problems(url))
    if not problems:
        host = host_of(urlsplit(url))
        problem = _host_problem(
            host, conf.ALLOWED_ENDPOINT_NETWORKS, int(time.monotonic() / VERDICT_SECONDS)
        )
        problems = [problem] if problem else []
    return problems


def address_problem(url: str) -> Message | None:
    """The first thing that speaks against calling `url`, or None."""
    return next(iter(check_endpoint(url)), None)


@lru_cache(maxsize=4096)
def _host_problem(host: str, _networks: Sequence[object], _era: int) -> Message | None:
    # A plan of thousands of tenants names few hosts; the arguments make a verdict end by itself.
    try:
        allowed_addresses(host, conf.HTTP_TIMEOUT_SECONDS)
    except ForbiddenAddress as forbidden:
        return forbidden.problem
    except OSError as error:
        return Message(
            _("%(host)s cannot be resolved: %(cause)s."),
            {"host": host, "cause": error.strerror or "no answer in time"},
        )
    return None


def allowed_addresses(host: str, timeout: float) -> list[str]:
    """The numeric addresses of `host`, all of them allowed.

    Raises ForbiddenAddress when one is not, TimeoutError after `timeout` seconds, OSError when
    the name has no address.
    """
    addresses = resolve(host, timeout)
    for address in addresses:
        if not is_allowed(ip_address(address)):
            raise ForbiddenAddress(
                Message(
                    _(
                        "%(host)s is at %(address)s, which is outside the allowed networks "
                        "(ALLOWED_ENDPOINT_NETWORKS)."
                    ),
                    {"host": host, "address": address},
                )
            )
    return addresses


def is_allowed(address: Address) -> bool:
    """Whether tenants' endpoints may be there. Link-local ones must be allowed by name."""
    real = (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
    return any(
        real in network
        # 0.0.0.0/0 must not open the metadata services of clouds at 169.254.169.254.
        and (not real.is_link_local or network.is_link_local)
        for network in conf.ALLOWED_ENDPOINT_NETWORKS
    )


def resolve(host: str, timeout: float) -> list[str]:
    """The numeric addresses of a host, in the resolver's order.

    Raises TimeoutError after `timeout` seconds and OSError (`socket.gaierror`) for no answer.
    """
    host = host.strip("[]").removesuffix(".")
    written = literal(host)
    if written is not None:
        return [str(written)]
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    # getaddrinfo() knows no time limit of its own; a thread that is late is left behind.
    threading.Thread(
        target=_look_up, args=(host, answers), name=f"resolve-{host[:40]}", daemon=True
    ).start()
    try:
        answer = answers.get(timeout=max(timeout, 0.0))
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _look_up(host: str, answers: "queue.SimpleQueue[list[str] | OSError]") -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except OSError as error:
        answers.put(error)
    except UnicodeError:
        answers.put(socket.gaierror(socket.EAI_NONAME, "it is not a valid host name"))
