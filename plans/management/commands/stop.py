"""`manage.py stop all|lift|show`: hold everything still in the whole installation."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plans import operations
from plans.actor import Permission
from plans.errors import RefusedError
from plans.management.plan_cli import arguments, who
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen
from plans.queries.stop import active_stop


class Command(BaseCommand):
    """Ends with 0, or with 1 where it was refused."""

    help = gettext_noop("Stop every hand-out in the whole installation, or lift the stop.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["all", "lift", "show"])
        parser.add_argument("--reason", type=arguments.reason, default="", help=_("for the audit"))
        arguments.add_actor(parser)

    def handle(self, *args: Any, action: str, reason: str, **options: Any) -> None:
        screen = Screen(self.stdout, self.stderr)
        self.stderr.style_func = None
        try:
            actor = who.acting(options["as_user"])
            if action == "all":
                operations.stop_everything(actor, reason=reason)
            elif action == "lift":
                operations.lift_stop(actor, reason=reason)
            actor.require(Permission.VIEW)
        except RefusedError as refused:
            screen.refuse(refused)
            sys.exit(Exit.REFUSED)
        stop = active_stop()
        if stop is None:
            screen.say(_("Nothing is stopped."))
            return
        values = {"who": stop.stopped_by, "why": stop.reason or "–"}
        screen.say(
            _("Everything is stopped since %(when)s by %(who)s: %(why)s")
            % {**values, "when": stop.stopped_at.isoformat(timespec="seconds")}
        )
