"""`manage.py label_tenants FILE`: give tenants labels to choose them by."""

import argparse
import sys
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from plans import operations
from plans.errors import RefusedError
from plans.management.plan_cli import arguments, who
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen


class Command(BaseCommand):
    """Ends with 0 once all labels are set, with 1 if a line is wrong: then none is."""

    help = gettext_noop(
        "Set labels of tenants from a table (CSV): tenantId and a column a label. An empty cell "
        "takes the label away; labels that the table does not name stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=argparse.FileType("r", encoding="utf-8", errors="replace"),
            help=gettext_noop("the table; - reads it from the standard input"),
        )
        arguments.add_actor(parser)

    def handle(self, *args: Any, file: TextIOWrapper, **options: Any) -> None:
        screen = Screen(self.stdout, self.stderr)
        with file:
            text = file.read()
        try:
            table = operations.label_tenants(text, who.acting(options["as_user"]))
        except RefusedError as refused:
            screen.refuse(refused)
            sys.exit(Exit.REFUSED)
        for error in table.errors:
            said = _("Line %(line)s: %(what)s")
            self.stderr.write(said % {"line": error.line, "what": error.message})
        if table.errors:
            sys.exit(Exit.REFUSED)
        count = len(table.labels)
        said = ngettext("%(count)s tenant is labelled.", "%(count)s tenants are labelled.", count)
        screen.say(said % {"count": count})
