"""`manage.py plan ACTION …`: create, control and watch plans, for scripts and terminals."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plans.errors import RefusedError
from plans.management.plan_cli import acting, creating, reading
from plans.management.plan_cli.exits import EPILOG, Exit
from plans.management.plan_cli.screen import Screen
from plans.stores import doorbell

Add = Callable[[CommandParser], None]
Run = Callable[[dict[str, Any], Screen], Exit]
DOORBELL_SECONDS = 1.0


class Command(BaseCommand):
    """Ends with one of `plan_cli.exits.Exit`."""

    help = gettext_noop("Create, control and watch plans.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _(EPILOG)
        actions: dict[str, tuple[Add, Run, str]] = {
            "create": (creating.add, creating.run, _("create a plan")),
            "start": (partial(acting.add, "start"), acting.run, _("start a plan")),
            "pause": (partial(acting.add, "pause"), acting.run, _("pause at the next boundary")),
            "resume": (partial(acting.add, "resume"), acting.run, _("go on after a pause")),
            "cancel": (partial(acting.add, "cancel"), acting.run, _("cancel what is unfinished")),
            "retry": (partial(acting.add, "retry"), acting.run, _("retry what failed")),
            "rollback": (partial(acting.add, "rollback"), acting.run, _("take tenants back")),
            "approve": (partial(acting.add, "approve"), acting.run, _("let the next wave begin")),
            "reject": (partial(acting.add, "reject"), acting.run, _("pause at the gate")),
            "show": (reading.add_show, reading.show, _("show a plan or a task")),
            "list": (reading.add_list, reading.listing, _("list the latest plans")),
            "watch": (reading.add_watch, reading.watch, _("watch a plan until it ends")),
        }
        choices = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, (add, run, text) in actions.items():
            choice = choices.add_parser(name, help=text, description=text, epilog=_(EPILOG))
            add(choice)
            choice.set_defaults(run=run, parser=choice)

    def handle(self, *args: Any, run: Run, **options: Any) -> None:
        screen = Screen(self.stdout, self.stderr, is_json=options.get("json", False))
        self.stderr.style_func = None
        try:
            with _interruptible():
                code = run(options, screen)
        except RefusedError as refused:
            screen.refuse(refused)
            code = Exit.REFUSED
        except KeyboardInterrupt:
            screen.warn(_("Interrupted; what was begun goes on."))
            code = Exit.INTERRUPTED
        # The bell that tells open pages rings in a thread, which would end with the process.
        doorbell.flush(DOORBELL_SECONDS)
        if code:
            sys.exit(code)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
