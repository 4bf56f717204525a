"""The written form of an outgoing address: what may stand in it, and how it is shown to people."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_noop as _

from plans.message import Message

ADDRESS_MAX_CHARS = 2000
_PRINTABLE = re.compile(r"[!-~]+")
# Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1; people and other programs do not.
_LOOKS_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)


@lru_cache(maxsize=4096)
def written_problems(url: str) -> tuple[Message, ...]:
    """What is wrong with the address as it is written; nothing is looked up."""
    if not url:
        return (Message(_("The address is empty.")),)
    if len(url) > ADDRESS_MAX_CHARS:
        text = _("The address is longer than %(limit)s characters.")
        return (Message(text, {"limit": ADDRESS_MAX_CHARS}),)
    # urlsplit() drops tabs and line ends silently, so they are looked for first.
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return (
            Message(
                _(
                    "The address has blanks, control characters, backslashes or characters outside "
                    "ASCII: write international names in their xn-- form and quote the rest."
                )
            ),
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        return (Message(_("The address cannot be read: it needs the form http://host:port/path.")),)
    return tuple(_part_problems(parts))


def _part_problems(parts: SplitResult) -> list[Message]:
    problems = []
    if parts.scheme not in ("http", "https"):
        problems.append(
            Message(
                _("The address must begin with http:// or https://, not %(scheme)s."),
                {"scheme": f"“{parts.scheme}”"},
            )
        )
    if "@" in parts.netloc:
        problems.append(Message(_("The address must not hold a user name or password.")))
    if parts.query or parts.fragment:
        problems.append(Message(_("The address must not hold a query or a fragment.")))
    host = host_of(parts)
    if not host:
        problems.append(Message(_("The address names no host.")))
    elif literal(host) is None and _LOOKS_NUMERIC.match(host.rpartition(".")[2]):
        problems.append(
            Message(
                _("%(host)s is not a clear IP address: write it as four decimal numbers."),
                {"host": host},
            )
        )
    if not _has_valid_port(parts):
        problems.append(Message(_("The port must be a number between 1 and 65535.")))
    return problems


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def host_of(parts: SplitResult) -> str:
    """The host in lower case, without brackets and without the root's trailing dot."""
    return (parts.hostname or "").removesuffix(".")


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that is written as such, else None."""
    try:
        return ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def shown(url: str) -> str:
    """The address without credentials, query and fragment: fit for logs, pages and messages."""
    return without_credentials(url.partition("#")[0].partition("?")[0][:ADDRESS_MAX_CHARS])


def without_credentials(url: str) -> str:
    """The address without the user and password that may stand before its host."""
    scheme, separator, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    return f"{scheme}{separator}{netloc.rpartition('@')[2]}{slash}{path}"
