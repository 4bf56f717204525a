"""`manage.py verify_audit`: show that the recorded events are what was recorded."""

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from plans import audit
from plans.audit import heads as exports
from plans.audit.heads import Head
from plans.canonical import storable_text
from plans.models import Plan


class Command(BaseCommand):
    """Ends with 0 if every journal holds, and the rows that it tells of, else or without such a
    plan with 1."""

    help = gettext_noop(
        "Verify the hash chain of every journal, that plans, journals and events all have one "
        "another, and that plans, gates and tasks are in the state, and by the people, that the "
        "events say. Prints the first broken event of each journal and each row that differs, and "
        "exits with 1 if there is one. An end that was cut together with the journal's head, a "
        "plan removed with its journal, and a chain computed anew are found with --heads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", type=int, metavar="ID", help=_("Only the plan's journal."))
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help=_("Also verify that every head in this export is still a part of its journal."),
        )
        parser.add_argument(
            "--export",
            type=Path,
            metavar="FILE",
            help=_("If all holds, write each journal's head to a new file, to be kept elsewhere."),
        )

    def handle(
        self,
        *args: Any,
        plan: int | None,
        heads: Path | None,
        export: Path | None,
        **options: Any,
    ) -> None:
        if plan is not None and not Plan.objects.filter(pk=plan).exists():
            self._leave(_("There is no plan %(id)s.") % {"id": plan})
        findings = audit.verify(plan, self._exported(heads) if heads else None)
        for broken in findings.broken:
            row = f" (plans_event.id {broken.event_id})" if broken.event_id else ""
            event = f", event {broken.seq}{row}" if broken.seq else ""
            self.stdout.write(f"{storable_text(broken.journal)}{event}: {broken.why}")
        if findings.broken:
            counts = {"broken": len(findings.broken_journals), "journals": findings.journals}
            self._leave(_("%(broken)s of %(journals)s journals do not hold.") % counts)
        if heads:
            text = ngettext(
                "%(proven)s exported head is still a part of its journal.",
                "%(proven)s exported heads are still a part of their journals.",
                findings.proven,
            )
            self.stdout.write(text % {"proven": findings.proven})
        if export:
            self._export(findings.heads, export)
        text = ngettext(
            "%(events)s events in %(journals)s journal hold.",
            "%(events)s events in %(journals)s journals hold.",
            findings.journals,
        )
        self.stdout.write(text % {"events": findings.events, "journals": findings.journals})

    def _exported(self, file: Path) -> dict[str, Head]:
        try:
            return exports.loads(file.read_bytes())
        except (OSError, exports.Unreadable) as wrong:
            what = wrong.strerror if isinstance(wrong, OSError) else wrong.message
            self._leave(_("%(file)s cannot be used: %(what)s") % {"file": file, "what": what})

    def _export(self, heads: list[Head], file: Path) -> None:
        try:
            # An export of before is worth more than a new one: nothing is written over.
            with file.open("x", encoding="utf-8") as new:
                new.write(exports.dumps(heads, timezone.now()))
        except OSError as wrong:
            what = wrong.strerror
            self._leave(_("%(file)s cannot be used: %(what)s") % {"file": file, "what": what})

    def _leave(self, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(1)
