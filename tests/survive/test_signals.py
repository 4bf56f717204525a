"""A SIGTERM is heeded at whatever moment it comes."""

import subprocess
import sys

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.processes

ROUNDS = """
import random, signal
import django
django.setup()
from plans import conf
from plans.engine.conductor import Conductor
from plans.renewal.service import RenewalService

class Conducting(Conductor):
    def _may_lead(self):
        return False

class Renewing(RenewalService):
    def _beat(self):
        pass

# They do nothing but wait, again and again, so that a signal comes at any moment of that.
conf.CONDUCTOR_INTERVAL_SECONDS = conf.RENEWAL_BEAT_SECONDS = 1e-6
for _ in range(40):
    loop = {loop}()
    signal.signal(signal.SIGALRM, lambda *_: loop.stop())
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.004))
    loop.run()
"""


@pytest.mark.parametrize("loop", ["Conducting", "Renewing"])
def test_a_signal_at_any_moment_of_a_loop_ends_it(loop: str, redis_server: str) -> None:
    subprocess.run(
        [sys.executable, "-c", ROUNDS.format(loop=loop)], cwd=ROOT, timeout=240, check=True
    )
