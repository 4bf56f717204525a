"""The fields of an answer: each is there and of its type, or the answer is a bad one."""

from typing import Any

from django.utils.translation import gettext_noop as _

from plans.clients.address import shown
from plans.clients.http import Service
from plans.errors import ServiceBadAnswer
from plans.message import Message

ENVIRONMENTS = ("blue", "green")
VERSION_MAX = 2**63 - 1
TEXT_MAX_CHARS = 2000


class Fields:
    """Reads the fields of one answer; every method raises ServiceBadAnswer with the cause."""

    def __init__(self, body: dict[str, Any], service: Service, method: str, url: str) -> None:
        self._body = body
        self._service = service
        self._named = {"method": method, "url": shown(url)}

    def bad(self, template: str, /, **values: Any) -> ServiceBadAnswer:
        """The error that says why the answer is unusable."""
        return ServiceBadAnswer(self._service, **self._named, cause=Message(template, values))

    def text(self, name: str) -> str:
        """A string that databases can hold."""
        value = self._body.get(name)
        if not isinstance(value, str):
            raise self.bad(_("%(name)s is missing or not a string"), name=name)
        if not _is_storable(value) or len(value) > TEXT_MAX_CHARS:
            raise self.bad(
                _("%(name)s is too long or has characters that cannot be stored"), name=name
            )
        return value

    def tenant(self, expected: str) -> None:
        """The answer, where it names a tenant, is about the one that was asked for."""
        if self._body.get("tenantId", expected) != expected:
            raise self.bad(_("it is about another tenant"))

    def environment(self, name: str) -> str:
        """`blue` or `green`, in whatever case it was written."""
        value = self.text(name)
        if value.lower() not in ENVIRONMENTS:
            raise self.bad(_("%(name)s is neither blue nor green"), name=name)
        return value.lower()

    def version(self, name: str) -> int:
        """A decimal integer, written as a string or as a number."""
        value = self._body.get(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not (text.isascii() and text.isdigit()):
            raise self.bad(_("%(name)s is missing or not a decimal integer"), name=name)
        if len(text.lstrip("0")) > 19 or int(text) > VERSION_MAX:
            raise self.bad(_("%(name)s is larger than %(limit)s"), name=name, limit=VERSION_MAX)
        return int(text)

    def label(self, name: str) -> str:
        """A string, or a number as its digits."""
        value = self._body.get(name)
        return str(self.version(name)) if isinstance(value, int) else self.text(name)

    def texts(self, name: str, limit: int) -> tuple[str, ...]:
        """A list of at most `limit` strings."""
        values = self._body.get(name)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.bad(_("%(name)s is missing or not a list of strings"), name=name)
        if len(values) > limit:
            raise self.bad(_("%(name)s has more than %(limit)s entries"), name=name, limit=limit)
        if not all(_is_storable(value) and len(value) <= TEXT_MAX_CHARS for value in values):
            raise self.bad(
                _("%(name)s has an entry that is too long or cannot be stored"), name=name
            )
        return tuple(values)


def _is_storable(text: str) -> bool:
    # PostgreSQL holds no NUL, and half a surrogate pair is no text at all.
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
