"""Sockets to the real ASGI application, for tests that are not asynchronous themselves."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import Client

from bluegreen.asgi import application
from plans.live import reading

WAIT_SECONDS = 60.0
HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"

Answer = TypeVar("Answer")


class Socket:
    """One open page's socket."""

    def __init__(self, sockets: "Sockets", communicator: WebsocketCommunicator) -> None:
        self._sockets = sockets
        self._communicator = communicator

    def receive(self, timeout: float = WAIT_SECONDS, *, acknowledge: bool = True) -> dict[str, Any]:
        """The next message. Raises TimeoutError; `ConnectionError` with the code when closed."""

        async def receive() -> dict[str, Any]:
            output = await self._communicator.receive_output(timeout)
            if output["type"] == "websocket.close":
                code = output["code"]
                assert code == 1000 or 3000 <= code < 5000, f"no server sends {code}"
                raise ConnectionError(code)
            message: dict[str, Any] = json.loads(output["text"])
            if acknowledge:
                await self._communicator.send_json_to({"seen": True})
            return message

        return self._sockets.run(receive())

    def waiting(self) -> list[dict[str, Any]]:
        """The messages that are here already, acknowledged."""
        found = []
        while not self._communicator.output_queue.empty():
            found.append(self.receive())
        return found

    def is_silent(self, seconds: float) -> bool:
        return self._sockets.run(self._communicator.receive_nothing(seconds))

    def say(self, content: dict[str, Any]) -> None:
        self._sockets.run(self._communicator.send_json_to(content))

    def say_text(self, text: str) -> None:
        self._hear({"text": text})

    def say_bytes(self, data: bytes) -> None:
        self._hear({"bytes": data})

    def _hear(self, content: dict[str, Any]) -> None:
        # Also what is empty, which the communicator's own method does not send.
        message = {"type": "websocket.receive", **content}
        self._sockets.run(self._communicator.send_input(message))

    def closed_with(self) -> int:
        """Wait for the close, past other messages; its code."""
        try:
            while True:
                self.receive(acknowledge=False)
        except ConnectionError as closed:
            return int(closed.args[0])

    def close(self) -> None:
        # Where a machine is slow it would else be cut off in the middle of taking its leave.
        self._sockets.run(self._communicator.disconnect(timeout=WAIT_SECONDS))


class Sockets:
    """A server's event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sockets")
        self._thread.start()
        self._open: list[Socket] = []

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * WAIT_SECONDS)

    def open(
        self, path: str, client: Client | None = None, origin: str | None = ORIGIN
    ) -> Socket | None:
        """Connect with the cookies of `client`; None when the handshake is refused."""
        headers = [(b"host", HOST.encode())]
        headers += [] if origin is None else [(b"origin", origin.encode())]
        if client is not None:
            cookies = (f"{name}={kept.value}" for name, kept in client.cookies.items())
            headers.append((b"cookie", "; ".join(cookies).encode()))

        async def connect() -> tuple[WebsocketCommunicator, bool]:
            communicator = WebsocketCommunicator(application, path, headers)
            connected, _code = await communicator.connect(WAIT_SECONDS)
            return communicator, connected

        communicator, is_connected = self.run(connect())
        if not is_connected:
            return None
        self._open.append(Socket(self, communicator))
        return self._open[-1]

    def watch(self, path: str, client: Client) -> Socket:
        """Connect, where that must work."""
        socket = self.open(path, client)
        assert socket is not None
        return socket

    def stop(self) -> None:
        for socket in self._open:
            # One on which a test waited in vain was ended with that.
            with contextlib.suppress(CancelledError, TimeoutError):
                socket.close()
        self.run(_close_database_connections())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()


async def _close_database_connections() -> None:
    # A test database that somebody is still connected to cannot be dropped.
    barrier = threading.Barrier(reading.THREADS)

    def close() -> None:
        barrier.wait(WAIT_SECONDS)
        connections.close_all()

    await asyncio.gather(*(reading.in_database(close) for _ in range(reading.THREADS)))
    await sync_to_async(connections.close_all)()
