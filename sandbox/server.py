"""uvicorn, opened up where the sandbox needs it."""

import asyncio
import socket

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from sandbox.app import App
from sandbox.world import World

# Longer than any client keeps an idle connection: only faults break connections here.
KEEP_ALIVE_SECONDS = 120


class OpenProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Puts the connection's transport into the scope: faults break connections for real."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app_state = {"transport": transport}


class Server(uvicorn.Server):
    """Says when it listens, and stops without waiting for calls that hang."""

    def __init__(self, config: uvicorn.Config, world: World) -> None:
        super().__init__(config)
        self._world = world

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"sandbox ready on {self._world.fleet.base_url}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._world.closing.set()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(world: World, listener: socket.socket, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        App(world),
        http=OpenProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )
    Server(config, world).run([listener])
