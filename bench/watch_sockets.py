"""Many sockets watch a storm: `python -m bench.watch_sockets PORT PLAN CHANGES PER_SECOND SOCKETS`.

Prints JSON. The sockets are no browser's: 200 pages stand on 200 machines, and one browser for all
of them needs three times the CPU of the server that is measured.
"""

import asyncio
import json
import re
import sys
import time
from typing import Any

import django

django.setup()

from autobahn.asyncio.websocket import (  # noqa: E402
    WebSocketClientFactory,
    WebSocketClientProtocol,
)

from bench.storm import rate  # noqa: E402
from bench.visit import signed_in  # noqa: E402

WAIT_SECONDS = 60
LAST_SECONDS = 10
HOST = "127.0.0.1"


class Listener(WebSocketClientProtocol):
    """One open page: says what it shows, and of each message that it saw it."""

    shown: str

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[float, int]] = []
        """When each message came (Unix time in ms), and up to which event it tells."""
        self.has_heard = asyncio.Event()

    def onOpen(self) -> None:
        self.sendMessage(self.shown.encode())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # A message begins with its cursor: what else it says need not be read.
        cursor = re.match(rb'\{"cursor":"(\d+)"', payload)
        assert cursor is not None, payload[:80]
        self.heard.append((time.time() * 1000, int(cursor[1])))
        self.has_heard.set()
        self.sendMessage(b'{"seen":true}')


def watch(port: int, plan: str, changes: str, per_second: str, sockets: int) -> dict[str, Any]:
    """Open the sockets, let the storm pass, say how late it was heard."""
    client = signed_in(f"http://{HOST}:{port}")
    page = client.get(f"/plans/{plan}/").text
    cursor = re.search(r'data-cursor="(\d+)"', page)
    assert cursor is not None
    Listener.shown = json.dumps({"shown": re.findall(r'<tr id="([^"]+)"', page)})
    factory = WebSocketClientFactory(
        f"ws://{HOST}:{port}/ws/plans/{plan}/?cursor={cursor[1]}",
        origin=f"http://{HOST}:{port}",
        headers={"Cookie": f"sessionid={client.cookies['sessionid']}"},
    )
    factory.protocol = Listener
    return asyncio.run(_watch(factory, port, (plan, changes, per_second), sockets))


async def _watch(
    factory: WebSocketClientFactory, port: int, storm: tuple[str, str, str], sockets: int
) -> dict[str, Any]:
    listeners = await _open(factory, port, sockets)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.storm", *storm, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    done: list[dict[str, Any]] = json.loads(printed.splitlines()[-1])["done"]
    async with asyncio.timeout(LAST_SECONDS):
        for listener in listeners:
            while listener.heard[-1][1] < done[-1]["seq"]:
                listener.has_heard.clear()
                await listener.has_heard.wait()
    return {
        "worst_ms": max(_worst(listener.heard, done) for listener in listeners),
        "messages": min(len(listener.heard) for listener in listeners),
        "per_second": rate(done),
    }


async def _open(factory: WebSocketClientFactory, port: int, count: int) -> list[Listener]:
    """So many sockets, each of which has had its first message."""
    factory.loop = loop = asyncio.get_running_loop()
    async with asyncio.timeout(WAIT_SECONDS):
        opened = [await loop.create_connection(factory, HOST, port) for _ in range(count)]
        listeners: list[Listener] = [listener for _, listener in opened]
        for listener in listeners:
            await listener.has_heard.wait()
    return listeners


def _worst(heard: list[tuple[float, int]], done: list[dict[str, Any]]) -> float:
    """From each commit to the first message that covers it; the worst, in ms."""
    worst, place = 0.0, 0
    for each in done:
        while heard[place][1] < each["seq"]:
            place += 1
        worst = max(worst, heard[place][0] - each["at"])
    return worst


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), *sys.argv[2:5], int(sys.argv[5]))))
