"""A proxy in front of Redis that hangs, delays answers, or changes what it hands on."""

import asyncio
import random
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Change = Callable[[bytes], bytes]


class RedisProxy:
    """Serves on a port of the loopback, in a thread; `url` names the same database."""

    def __init__(self, redis_url: str, change: Change = bytes) -> None:
        parts = urlsplit(redis_url)
        self._socket_path = unquote(parts.path)
        self._database = parse_qs(parts.query).get("db", ["0"])[0]
        self._change = change
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._delayed_share = self._delay_seconds = 0.0
        self._chance = random.Random(1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/{self._database}"

    def hang(self) -> None:
        """Answer nothing any more; connections stay open."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def flow(self) -> None:
        """Hand on again, also what has piled up."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def delay(self, share: float, seconds: float) -> None:
        """From now on, that share of what comes back in one piece comes later."""
        self._delayed_share, self._delay_seconds = share, seconds

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_unix_connection(self._socket_path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._hand_on(reader, forth, self._change), self._hand_on(back, writer, self._later)
        )

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Any
    ) -> None:
        try:
            while piece := await reader.read(65536):
                await self._flows.wait()
                changed = change(piece)
                writer.write(await changed if asyncio.iscoroutine(changed) else changed)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _later(self, piece: bytes) -> bytes:
        if self._chance.random() < self._delayed_share:
            await asyncio.sleep(self._delay_seconds)
        return piece
