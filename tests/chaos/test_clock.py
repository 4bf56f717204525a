"""A process whose clock is wrong does not know it, and its durations are right."""

import subprocess
import sys
import time

from tests.support.processes import ROOT

OFF_SECONDS = -300.0
LOOK = """
from tests.chaos.clock import go_wrong, real_datetime
go_wrong(float({off}))
import datetime, json, time
from django.utils import timezone
real = real_datetime.now(datetime.UTC)
told = [timezone.now().timestamp(), time.time(), datetime.datetime.now(datetime.UTC).timestamp()]
print(json.dumps([*told, time.monotonic(), isinstance(real, datetime.datetime)]))
"""


def test_every_wall_clock_is_off_and_the_monotonic_one_is_not() -> None:
    began, began_monotonic = time.time(), time.monotonic()
    look = [sys.executable, "-c", LOOK.format(off=OFF_SECONDS)]
    done = subprocess.run(look, cwd=ROOT, capture_output=True, text=True, check=True)
    *told, monotonic, is_datetime = done.stdout.strip().strip("[]").split(", ")
    ended, ended_monotonic = time.time(), time.monotonic()
    for moment in map(float, told):
        assert began + OFF_SECONDS <= moment <= ended + OFF_SECONDS
    assert began_monotonic <= float(monotonic) <= ended_monotonic
    assert is_datetime == "true"
