"""What a worker makes of the Redis of its queue while that fails."""

import logging

from redis.exceptions import RedisError

from plans.engine.queue import NOT_OURS, QUEUE_KEY, is_wrong_type

PAUSE_FIRST_SECONDS = 0.25
PAUSE_MAX_SECONDS = 5.0

logger = logging.getLogger(__name__)


class RedisWatch:
    """Says once what is wrong, and once that it is over; asks less and less often meanwhile."""

    def __init__(self) -> None:
        self._trouble = ""
        self._pause_seconds = PAUSE_FIRST_SECONDS

    def failed(self, error: RedisError) -> None:
        """It could not be asked, or answered with `error`."""
        trouble = NOT_OURS % {"key": QUEUE_KEY} if is_wrong_type(error) else "Redis is away."
        if self._trouble != trouble:
            self._trouble = trouble
            self._pause_seconds = PAUSE_FIRST_SECONDS
            logger.warning("%s Running tasks go on, no new ones come: %s", trouble, error)

    def answered(self) -> None:
        """It was asked, and all is well."""
        if self._trouble:
            self._trouble = ""
            logger.warning("Redis is back: new tasks come.")

    def pause_seconds(self) -> float:
        """How long to wait before it is asked again; doubles each time, up to a limit."""
        pause = self._pause_seconds
        self._pause_seconds = min(2 * pause, PAUSE_MAX_SECONDS)
        return pause
