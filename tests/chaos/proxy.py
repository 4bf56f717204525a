"""Between processes and a server: a way that can be slowed down, blocked, or broken."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.environment import HOST
from tests.support.waiting import WAIT_SECONDS

CHUNK_BYTES = 65536


class Proxy:
    """Listens on a port of the loopback and passes on to the unix socket `upstream`.

    It has a thread with an event loop of its own; every method may be called from any thread.
    """

    def __init__(self, upstream: Path) -> None:
        self._upstream = str(upstream)
        self._delay_seconds = 0.0
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        listening = asyncio.start_server(self._serve, HOST, 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(WAIT_SECONDS)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break every connection, and every new one at once: as if nobody were there."""
        self._call(self._cut)

    def block(self) -> None:
        """Pass nothing on and say nothing: as if packets were lost."""
        self._call(self._flows.clear)

    def slow_down(self, seconds: float) -> None:
        """Let each piece of an answer come `seconds` late."""
        self._delay_seconds = seconds

    def mend(self) -> None:
        """As it was; what was held back while it was blocked arrives now."""
        self._delay_seconds = 0.0
        self._is_cut = False
        self._call(self._flows.set)

    def close(self) -> None:
        """Leave; nobody is passed on any more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(WAIT_SECONDS)
        self._call(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _call(self, what: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _cut(self) -> None:
        self._is_cut = True
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            await self._flows.wait()
            above, below = await asyncio.open_unix_connection(self._upstream)
            self._open.add(below)
            ways = [self._pass_on(reader, below, late=False), self._pass_on(above, writer)]
            running = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for way in running:
                way.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            below.transport.abort()
            self._open.discard(below)
        except OSError:
            pass  # Nobody is there above; the one below hears it by the end of its connection.
        finally:
            writer.transport.abort()
            self._open.discard(writer)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, late: bool = True
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                if late and self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
