"""`manage.py worker`: run tasks until SIGTERM."""

import argparse
import logging
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_noop as _

from bluegreen import embedded_redis
from plans import conf
from plans.checks import CONFIGURATION
from plans.engine import executor
from plans.engine import lease as leases
from plans.engine.worker import ThreadedWorker


class Command(BaseCommand):
    """Ends with 0 once its running tasks have ended, with 1 if it had to leave some behind."""

    help = _("Run tasks from the queue until SIGTERM; a second SIGTERM leaves at once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--threads",
            type=_thread_count,
            # A text is checked like an argument.
            default=str(conf.WORKER_THREADS),
            help=_("How many tasks to run at once (default: WORKER_THREADS, now %(default)s)."),
        )

    def handle(self, *args: Any, threads: int, **options: Any) -> None:
        self.check(tags=[CONFIGURATION], include_deployment_checks=True)
        embedded_redis.keep_running()
        worker = ThreadedWorker(
            executor.run,
            threads=threads,
            on_heartbeat=leases.extend_all,
            on_progress=executor.note_progress,
            on_stopping=executor.stop_at_boundaries,
        )
        if not worker.work():
            # The threads that still run cannot be stopped, and would keep the process.
            logging.shutdown()
            os._exit(1)


def _thread_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= conf.WORKER_THREADS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {conf.WORKER_THREADS_MAX}, please")
    return count
