"""`manage.py conductor`: run the loop that does everything that time does."""

import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_noop as _

from bluegreen import embedded_redis
from plans.checks import CONFIGURATION
from plans.engine.conductor import Conductor


class Command(BaseCommand):
    """Ends with 0 on SIGTERM."""

    help = _("Wake due tasks, take over lost ones, settle plans. Run two; one leads.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=[CONFIGURATION], include_deployment_checks=True)
        embedded_redis.keep_running()
        conductor = Conductor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: conductor.stop())
        conductor.run()
