"""Starts a plan and dies between commit and enqueue: `… -m tests.survive.dying_starter PLAN`."""

import os
import signal
import sys
from collections.abc import Iterable

import django

django.setup()

from plans import operations  # noqa: E402  Django comes first
from plans.engine import queue  # noqa: E402
from tests.support.driving import OPERATOR  # noqa: E402


def die(task_ids: Iterable[int]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    queue.ring_many = die  # type: ignore[assignment]
    operations.start_plan(int(sys.argv[1]), OPERATOR)
