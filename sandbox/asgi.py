"""The few ASGI moves that the sandbox needs: read a body, answer, break a connection."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY_BYTES = 1024 * 1024

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BodyTooLarge(Exception):
    """The request's body passes MAX_BODY_BYTES; send less."""


async def read_body(receive: Receive) -> bytes:
    """The whole request body. Raises BodyTooLarge."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
    return body


async def send_bytes(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    length = str(len(body)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", length), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, payload: object) -> None:
    await send_bytes(send, status, json.dumps(payload, ensure_ascii=False).encode())


async def send_error(send: Send, status: int, message: str) -> None:
    await send_json(send, status, {"error": message})


def transport_of(scope: Scope) -> asyncio.Transport:
    """The TCP transport under a request, as `server.OpenProtocol` put it into the scope."""
    transport: asyncio.Transport = scope["state"]["transport"]
    return transport


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def close_connection(scope: Scope, receive: Receive) -> None:
    """End the connection without an answer: the client sees it closed (FIN)."""
    transport_of(scope).abort()
    await wait_for_disconnect(receive)


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """End the connection without an answer: the client sees it reset (RST)."""
    transport = transport_of(scope)
    sock = transport.get_extra_info("socket")
    # A linger time of zero makes the kernel send RST in place of FIN.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
    await wait_for_disconnect(receive)
