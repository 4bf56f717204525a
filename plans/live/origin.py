"""Only pages of Bluegreen itself may open its sockets: a browser sends cookies to whoever asks."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

Application = Callable[..., Awaitable[Any]]

PORTS = {"http": "80", "https": "443"}


class OwnOrigin:
    """Refuses a handshake whose `Origin` is not the host and port that were asked.

    Cookies do not know ports: what else is served on the same host would get in. Where a proxy
    gives the host another name, `CSRF_TRUSTED_ORIGINS` names the origin, as it does for forms.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin1")
        host = headers.get(b"host", b"").decode("latin1")
        # Behind TLS, ours come with it, whatever the proxy says to us.
        is_secure = settings.SECURE_SSL_REDIRECT or scope.get("scheme") == "wss"
        if is_own(origin, host, "https" if is_secure else "http"):
            return await self._application(scope, receive, send)
        return await WebsocketDenier.as_asgi()(scope, receive, send)


def is_own(origin: str, host: str, scheme: str) -> bool:
    """Whether `origin` (scheme, host, port) is where `host` (host and port) was asked by `scheme`,
    or is trusted."""
    return origin.lower() in _origins_of(host, scheme) or _is_trusted(origin)


def _origins_of(host: str, scheme: str) -> set[str]:
    """A port that goes without saying may be said."""
    name, port = split_domain_port(host)
    if not name or not validate_host(name, settings.ALLOWED_HOSTS):
        return set()
    with_port = f"{scheme}://{name}:{port or PORTS[scheme]}"
    return {with_port, with_port.removesuffix(f":{PORTS[scheme]}")}


def _is_trusted(origin: str) -> bool:
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    # An origin has neither a user nor a path.
    if "@" in page.netloc or origin != f"{page.scheme}://{page.netloc}":
        return False
    return any(
        page.scheme == trusted.scheme and is_same_domain(page.netloc, trusted.netloc.lstrip("*"))
        for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
    )
