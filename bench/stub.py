"""The outside world at little CPU: OB service, gateway and instances in one asyncio protocol.

`python -m bench.stub PORT LATENCY_SECONDS`. Every tenant is blue with configuration 19 until it
is switched; every instance runs version 20, the one that a fresh switch writes. Instances of the
tenant `slow` answer a second late, those of `hanging` never.
"""

import asyncio
import json
import socket
import sys
from typing import Any

INSTANCES = 1
SLOW_SECONDS = 1.0


class Stub(asyncio.Protocol):
    """Parses as little of HTTP/1.1 as httpx's requests need."""

    port = 0
    latency_seconds = 0.0

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            at = head.lower().find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            method, path = head.split(b" ", 2)[:2]
            if path.startswith(b"/i/hanging/"):
                continue
            answer = self._answer(method.decode(), path.decode().split("/")[1:], body)
            slow = SLOW_SECONDS if path.startswith(b"/i/slow/") else 0.0
            if latency := self.latency_seconds + slow:
                asyncio.get_running_loop().call_later(latency, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, method: str, path: list[str], body: bytes) -> bytes:
        match [method, *path]:
            case ["GET", "ob", "tenants", tenant_id] if "?" not in tenant_id:
                said: dict[str, Any] = self._tenant(tenant_id)
            case ["PUT", "gateway", "routes", tenant_id]:
                said = {"tenantId": tenant_id, "color": json.loads(body)["color"]}
            case ["GET", "gateway", "routes", tenant_id]:
                said = {"tenantId": tenant_id, "color": "blue"}
            case ["GET", "i", _, _, "health"]:
                said = {"status": "UP", "version": "20"}
            case ["GET", "i", _, _, "config"]:
                said = {"version": "20"}
            case ["POST", "i", _, _, "notify"] | ["PUT", "ob", "tenants", _, "status"]:
                said = {}
            case _:
                return b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
        text = json.dumps(said).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            + str(len(text)).encode()
            + b"\r\n\r\n"
            + text
        )

    def _tenant(self, tenant_id: str) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self.port}/i/{tenant_id}"
        return {
            "tenantId": tenant_id,
            "name": tenant_id,
            "status": "BLUE",
            "configVersion": "19",
            "endpoints": [f"{base}/{n}" for n in range(1, INSTANCES + 1)],
        }


async def serve(port: int, latency_seconds: float) -> None:
    """Serve until killed."""
    Stub.port, Stub.latency_seconds = port, latency_seconds
    # asyncio leaves Nagle's delay on for a socket whose protocol number is 0.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = await asyncio.get_running_loop().create_server(Stub, sock=listener, backlog=500)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
