"""`manage.py token create|list|revoke`: tokens for the REST API."""

import argparse
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plans.models import ApiToken, TokenScope

DAYS_MAX = 3660
LABEL_MAX_CHARS = 100


class Command(BaseCommand):
    """`create` prints the token once, as its last word; it cannot be read again."""

    help = gettext_noop("Make, list and revoke API tokens of users.")

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help=gettext_noop("make a new token and print it"))
        create.add_argument("user", help=gettext_noop("the user's name"))
        create.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.ALL.value,
            help=gettext_noop("what it may do at most (default: all that its user may)"),
        )
        create.add_argument(
            "--days", type=_days, help=gettext_noop("for how long it is good (default: for ever)")
        )
        create.add_argument("--label", default="", help=gettext_noop("what it is for"))
        listing = verbs.add_parser("list", help=gettext_noop("show tokens, without what they say"))
        listing.add_argument("user", nargs="?", help=gettext_noop("of this user only"))
        revoke = verbs.add_parser("revoke", help=gettext_noop("end a token at once"))
        revoke.add_argument("id", type=int, help=gettext_noop("its number in the list"))

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"_{verb}")(**options)

    def _create(
        self, user: str, scope: str, days: float | None, label: str, **options: Any
    ) -> None:
        owner = _owner(user)
        if not owner.is_active:
            raise CommandError(_("The user “%(name)s” is not active.") % {"name": user})
        if len(label) > LABEL_MAX_CHARS:
            raise CommandError(
                _("A label has at most %(count)d letters.") % {"count": LABEL_MAX_CHARS}
            )
        token = ApiToken.issue(owner, TokenScope(scope), days=days, label=label)
        self.stdout.write(_("API token of %(name)s: %(token)s") % {"name": user, "token": token})

    def _list(self, user: str | None, **options: Any) -> None:
        tokens = ApiToken.objects.select_related("user").annotate(now=Now()).order_by("pk")
        if user is not None:
            tokens = tokens.filter(user=_owner(user))
        for token in tokens:
            words = [
                str(token.pk),
                token.user.get_username(),
                token.scope,
                _state(token, token.now),
                _("created %(when)s") % {"when": _day(token.created_at)},
                _("expires %(when)s") % {"when": _day(token.expires_at)},
                _("last used %(when)s") % {"when": _day(token.last_used_at)},
                token.label,
            ]
            self.stdout.write("  ".join(words).rstrip())

    def _revoke(self, id: int, **options: Any) -> None:
        if not ApiToken.revoke(id):
            raise CommandError(_("There is no token %(id)d that is not revoked.") % {"id": id})
        self.stdout.write(_("Token %(id)d is revoked.") % {"id": id})


def _owner(name: str) -> Any:
    """The user of that name. Raises CommandError."""
    users = get_user_model()
    owner = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if owner is None:
        raise CommandError(_("There is no user “%(name)s”.") % {"name": name})
    return owner


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return _("revoked")
    if token.expires_at and token.expires_at <= now:
        return _("expired")
    return _("valid") if token.user.is_active else _("user not active")


def _day(when: datetime | None) -> str:
    return _("never") if when is None else f"{when:%Y-%m-%d %H:%M}"


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"a number of days up to {DAYS_MAX}, please")
    return days
