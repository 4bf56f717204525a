"""A proxy in front of Redis that delays some of its answers.

`python -m bench.slow_redis PORT SOCKET SHARE SECONDS`: `SHARE` (0 to 1) of what comes back in one
piece comes `SECONDS` late.
"""

import asyncio
import random
import sys


async def forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, share: float, seconds: float
) -> None:
    """Hand on until one side ends."""
    try:
        while piece := await reader.read(65536):
            if share and random.random() < share:
                await asyncio.sleep(seconds)
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(port: int, socket_path: str, share: float, seconds: float) -> None:
    """Serve on the loopback until the process is ended."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_unix_connection(socket_path)
        await asyncio.gather(
            forward(reader, redis_writer, 0, 0),
            forward(redis_reader, writer, share, seconds),
        )

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
