"""Whether this process reaches the database: who does not must leave the work to who does."""

import logging

from django.db import InterfaceError, InternalError, OperationalError, connection

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, InternalError)
"""What is raised when it is, or has ended a session; and for other reasons, so that it is asked
again soon. Any other error is its answer to a statement, and would be the same the next time."""


class DatabaseWatch:
    """Says it aloud when the database goes and when it comes back, once each."""

    def __init__(self) -> None:
        self.is_away = False

    def lost(self, error: BaseException) -> None:
        """Note that it has failed somebody."""
        if not self.is_away:
            self.is_away = True
            logger.warning("The database is away, no new tasks are taken: %s", error)

    def look(self) -> None:
        """Ask it, where it was away. Raises one of `AWAY` where it still is."""
        if not self.is_away:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        self.is_away = False
        logger.warning("The database is back.")
