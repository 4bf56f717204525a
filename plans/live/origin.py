"""Only pages of Bluegreen itself may open its sockets: a browser sends cookies to whoever asks."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[..., Awaitable[Any]]

PORTS = {"http": 80, "https": 443}


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
        if is_own(origin, host):
            return await self._application(scope, receive, send)
        return await WebsocketDenier.as_asgi()(scope, receive, send)


def is_own(origin: str, host: str) -> bool:
    """Whether `origin` (scheme, host, port) is where `host` (host and port) was asked."""
    try:
        page = urlsplit(origin)
        port = page.port or PORTS[page.scheme]
    except (KeyError, ValueError):
        return False
    # A page that came without TLS is not ours where ours come with it.
    if settings.SECURE_SSL_REDIRECT and page.scheme != "https":
        return False
    if f"{page.scheme}://{page.netloc}" in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return _is_asked(page, port, host)


def _is_asked(page: SplitResult, port: int, host: str) -> bool:
    name, asked_port = split_domain_port(host)
    if not name or not validate_host(name, settings.ALLOWED_HOSTS):
        return False
    asked = urlsplit(f"//{name}").hostname
    return page.hostname == asked and port == int(asked_port or PORTS[page.scheme])
