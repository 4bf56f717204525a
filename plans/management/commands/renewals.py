"""`manage.py renewals`: keep the registered keys alive until SIGTERM."""

import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_noop as _

from bluegreen import embedded_redis
from plans.checks import RENEWALS
from plans.renewal.service import RenewalService


class Command(BaseCommand):
    """Ends with 0 on SIGTERM, having given back what it renewed."""

    help = _("Keep keys in Redis alive while they are needed. Run two; they share the work.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=[RENEWALS], include_deployment_checks=True)
        embedded_redis.keep_running()
        service = RenewalService()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stop())
        service.run()
