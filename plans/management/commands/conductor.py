"""`manage.py conductor`: run the loop that does everything that time does."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from plans.engine.conductor import Conductor


class Command(BaseCommand):
    help = "Wake due tasks, take over lost ones, settle plans. Run two; one leads."

    def handle(self, *args: Any, **options: Any) -> None:
        conductor = Conductor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: conductor.stop())
        self.stdout.write(
            f"conductor {conductor.name} for {settings.DATABASES['default']['ENGINE']}"
        )
        conductor.run()
