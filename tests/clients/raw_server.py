"""A server of raw sockets whose every connection is played by a function of the test."""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

OPEN_SECONDS = 120


@dataclass
class Connection:
    """One accepted connection; `number` counts from 1 over the server's life."""

    number: int
    socket: socket.socket
    server: "RawServer"

    def request(self) -> bytes:
        """The next request, head and body; empty when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.socket.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            chunk = self.socket.recv(65536)
            if not chunk:
                return b""
            body += chunk
        data = head + b"\r\n\r\n" + body
        self.server.requests.append(data)
        return data

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Break the connection in place of closing it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def wait_until_gone(self) -> None:
        """Say nothing until the client closes or the test ends."""
        with contextlib.suppress(OSError):
            while self.socket.recv(65536):
                pass


Play = Callable[[Connection], None]


@dataclass
class RawServer:
    """Listens on loopback; `requests` holds every request that came, in order."""

    play: Play
    requests: list[bytes] = field(default_factory=list)
    accepted: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(OPEN_SECONDS)
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            accepted.settimeout(OPEN_SECONDS)
            self._sockets.append(accepted)
            connection = Connection(self.accepted, accepted, self)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(OSError), connection.socket:
            self.play(connection)

    def close(self) -> None:
        # A mere close would leave the thread in accept() and the port open.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answer(body: str = "{}", status: str = "200 OK", *headers: str) -> bytes:
    """The bytes of one HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body]
    return "\r\n".join(lines).encode()


def always(data: bytes) -> Play:
    """Answer every request of every connection with the same bytes."""

    def play(connection: Connection) -> None:
        while connection.request():
            connection.send(data)

    return play
