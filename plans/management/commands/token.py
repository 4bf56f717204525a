"""`manage.py token create USER`: make a token for the REST API."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plans.models import ApiToken


class Command(BaseCommand):
    """Prints the token once, as its last word; it cannot be read again."""

    help = gettext_noop("Make an API token for a user; it may do what the user may.")

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help=gettext_noop("make a new token and print it"))
        create.add_argument("user", help=gettext_noop("the user's name"))

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        users = get_user_model()
        owner = users._default_manager.filter(**{users.USERNAME_FIELD: user}).first()
        if owner is None:
            raise CommandError(_("There is no user “%(name)s”.") % {"name": user})
        if not owner.is_active:
            raise CommandError(_("The user “%(name)s” is not active.") % {"name": user})
        token = ApiToken.issue(owner)
        self.stdout.write(_("API token of %(name)s: %(token)s") % {"name": user, "token": token})
