"""`manage.py sync_tenants`: fill the registry of tenants from the OB service."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from plans import registry_sync
from plans.errors import StageError


class Command(BaseCommand):
    """Ends with 0 once the list was read, with 1 if the OB service could not be read."""

    help = gettext_noop(
        "Read the OB service's list of tenants into the registry. The conductor does the same "
        "every five minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--trust-list",
            action="store_true",
            help=_(
                "mark who is gone even where the list misses more than half of the registry; "
                "each is asked for"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = registry_sync.sync_tenants(trust_list=options["trust_list"])
        except StageError as error:
            self.stderr.write(f"{error.message} ({error.code})")
            sys.exit(1)
        text = ngettext(
            "The OB service named %(count)s tenant.",
            "The OB service named %(count)s tenants.",
            count,
        )
        self.stdout.write(text % {"count": count})
