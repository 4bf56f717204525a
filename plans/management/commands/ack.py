"""`manage.py ack TENANT`: do all instances report the configuration that Redis holds?"""

import json
import sys
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plans.ack.result import Status
from plans.errors import RedisUnavailable
from plans.management.plan_cli import arguments
from plans.management.plan_cli.screen import printable
from plans.models import Tenant
from plans.queries.versions import TenantVersions, ask_versions

EPILOG = gettext_noop(
    "Exit codes: 0 every instance reports the expected version; 1 not all do, the registry does "
    "not know the tenant, or Redis cannot be reached; 2 wrong usage. Nothing is changed."
)
STATUSES = {
    Status.LATEST: gettext_noop("latest"),
    Status.OUTDATED: gettext_noop("outdated"),
    Status.SILENT: gettext_noop("silent"),
}


class Command(BaseCommand):
    """Ends with 0 if every instance reports the expected version, else with 1."""

    help = gettext_noop(
        "Ask every instance of a tenant which configuration it has in effect, and compare with "
        "what Redis holds."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With our own `--version`, in place of Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _(EPILOG)
        parser.add_argument("tenant", metavar="TENANT", help=_("the tenant's id"))
        parser.add_argument(
            "--version",
            dest="expected",
            type=arguments.count,
            metavar="N",
            help=_("expect this version (default: the one that Redis holds)"),
        )
        parser.add_argument(
            "--wait",
            type=arguments.seconds,
            default=0.0,
            metavar="SECONDS",
            help=_("ask again until all agree, for so long at most"),
        )
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(pk=arguments.text(options["tenant"])).first()
        if tenant is None:
            self.stderr.write(
                _("The registry knows no tenant %(id)s: manage.py sync_tenants fills it.")
                % {"id": printable(options["tenant"])}
            )
            sys.exit(1)
        try:
            found = ask_versions(tenant, options["expected"], options["wait"])
        except RedisUnavailable as away:
            self.stderr.write(str(away.message))
            sys.exit(1)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2))
        else:
            self._show(found)
        if not found.ack.success:
            sys.exit(1)

    def _show(self, found: TenantVersions) -> None:
        held = found.held
        self.stdout.write(
            _("Redis holds version %(version)s for %(tenant)s (%(color)s, %(at)s).")
            % {
                "version": held.version,
                "tenant": found.tenant.pk,
                "color": printable(held.color),
                "at": printable(held.updated_at),
            }
            if held
            else _("Redis holds nothing for %(tenant)s.") % {"tenant": found.tenant.pk}
        )
        table = Table(box=None, pad_edge=False)
        for title in (_("instance"), _("reports"), _("expected"), _("state")):
            table.add_column(title, overflow="fold")
        for endpoint, each in found.ack.instances.items():
            cells = (endpoint, each.said, found.ack.expected_version, _(STATUSES[each.status]))
            table.add_row(*(Text(printable(cell)) for cell in cells))
        Console(file=cast(TextIO, self.stdout._out)).print(table)
        self.stdout.write(
            _("%(confirmed)s of %(total)s instances report version %(version)s.")
            % {
                "confirmed": found.ack.confirmed,
                "total": len(found.ack.instances),
                "version": found.ack.expected_version,
            }
        )
