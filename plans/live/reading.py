"""Where feeds read the database: threads of their own, so that sign-ins never delay frames."""

from collections import ChainMap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from channels.db import database_sync_to_async
from django.db import connection

THREADS = 2

Answer = TypeVar("Answer")


def _keep_connection() -> None:
    # Requests close theirs; feeds read several times a second.
    # Over the settings, no copy: these may still change, as when tests get a database of their own.
    kept = ChainMap({"CONN_MAX_AGE": None}, connection.settings_dict)
    connection.settings_dict = cast("dict[str, Any]", kept)


_threads = ThreadPoolExecutor(THREADS, "live", initializer=_keep_connection)


async def in_database(read: Callable[[], Answer]) -> Answer:
    """Run `read` in one of the feeds' threads."""
    answer: Answer = await database_sync_to_async(read, thread_sensitive=False, executor=_threads)()
    return answer
