"""SQLite with a fair lock for writers.

SQLite lets one transaction write; the others poll with growing pauses, which is unfair (seconds
in the worst case under 32 threads). Threads of one process queue on a lock instead, and only
processes compete through SQLite's own waiting.
"""

import threading
from typing import Any

from django.db.backends.sqlite3 import base

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")

_writer = threading.Lock()


class Cursor(base.SQLiteCursorWrapper):
    """Lets a statement that is a transaction by itself, as a heartbeat's, queue with the others."""

    def execute(self, query: str, params: Any = None) -> Any:
        if self.connection.in_transaction or not query.startswith(WRITES):
            return super().execute(query, params)
        with _writer:
            return super().execute(query, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """Holds the process's write lock from BEGIN IMMEDIATE to COMMIT or ROLLBACK."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._holds_writer = False

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)

    def _start_transaction_under_autocommit(self) -> None:
        self._take_writer()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._release_writer()
            raise

    def _commit(self) -> None:
        # When this fails, Django rolls back, and that releases.
        super()._commit()  # type: ignore[misc]
        self._release_writer()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._release_writer()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._release_writer()

    def _take_writer(self) -> None:
        if not self._holds_writer:
            _writer.acquire()
            self._holds_writer = True

    def _release_writer(self) -> None:
        if self._holds_writer:
            self._holds_writer = False
            _writer.release()
