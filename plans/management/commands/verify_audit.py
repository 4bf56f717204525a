"""`manage.py verify_audit`: show that the recorded events are what was recorded."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from plans import audit
from plans.models import Plan


class Command(BaseCommand):
    """Ends with 0 if every journal holds, with 1 if one is broken or there is no such plan."""

    help = gettext_noop(
        "Verify the hash chain of every journal. Prints the first broken row of each journal "
        "that does not hold, and exits with 1 if there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", type=int, metavar="ID", help=_("Only the plan's journal."))
        parser.add_argument(
            "--heads",
            action="store_true",
            help=_("Also print each journal's last number and hash, to be kept elsewhere."),
        )

    def handle(self, *args: Any, plan: int | None, heads: bool, **options: Any) -> None:
        if plan is not None and not Plan.objects.filter(pk=plan).exists():
            self.stderr.write(_("There is no plan %(id)s.") % {"id": plan})
            sys.exit(1)
        findings = audit.verify(plan)
        if heads:
            for head in findings.heads:
                self.stdout.write("{} {} {}".format(*head))
        for broken in findings.broken:
            row = f" (plans_event.id {broken.event_id})" if broken.event_id else ""
            self.stdout.write(f"{broken.journal}, event {broken.seq}{row}: {broken.why}")
        journals = len(findings.heads)
        if findings.broken:
            self.stderr.write(
                _("%(broken)s of %(journals)s journals do not hold.")
                % {"broken": len(findings.broken), "journals": journals}
            )
            sys.exit(1)
        text = ngettext(
            "%(events)s events in %(journals)s journal hold.",
            "%(events)s events in %(journals)s journals hold.",
            journals,
        )
        self.stdout.write(text % {"events": findings.events, "journals": journals})
