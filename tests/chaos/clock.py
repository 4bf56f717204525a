"""`python -m tests.chaos.clock SECONDS COMMAND…`: `manage.py COMMAND…` with a clock that is wrong.

What a machine with a wrong clock shows a process: the wall clock is off, the monotonic one is not.
"""

import datetime
import sys
import time
from typing import Any

real_time = time.time
real_datetime = datetime.datetime


def go_wrong(seconds: float) -> None:
    """Set this process's wall clock off, before anything that reads it is loaded."""
    off = datetime.timedelta(seconds=seconds)

    class LikeReal(type):
        # What C makes (a driver, pickle) is of the real class.
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real_datetime)

    class WrongDatetime(real_datetime, metaclass=LikeReal):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real_datetime.now(tz) + off

        @classmethod
        def utcnow(cls) -> Any:
            return real_datetime.now(datetime.UTC).replace(tzinfo=None) + off

    time.time = lambda: real_time() + seconds
    time.time_ns = lambda: int((real_time() + seconds) * 1e9)
    datetime.datetime = WrongDatetime  # type: ignore[misc]


if __name__ == "__main__":
    go_wrong(float(sys.argv[1]))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[2:]])
