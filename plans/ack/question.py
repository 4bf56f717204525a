"""The question to an instance: at which address, and how its version is read from the answer."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from plans.ack.readers import JsonPath, Reader
from plans.ack.unreadable import Unreadable
from plans.clients.address import shown
from plans.clients.http import Call, fetch
from plans.clients.instances import SERVICE, instance_url
from plans.errors import ServiceBadAnswer

VERSION_MAX_CHARS = 200
VERSION_FIELD = JsonPath(json_path="$.version")


@dataclass(frozen=True)
class Question:
    """`GET {endpoint}{path}`, at most `timeout_seconds` (None: `conf.HTTP_TIMEOUT_SECONDS`)."""

    path: str = "/config"
    reader: Reader = VERSION_FIELD
    timeout_seconds: float | None = None

    def ask(self, endpoint: str, call: Call | None = None) -> str:
        """The version that the instance reports.

        Raises the `ServiceError`s of `plans.errors`; ServiceBadAnswer when there is no version in
        the answer.
        """
        url = f"{instance_url(endpoint)}{self.path}"
        reply = fetch(SERVICE, url, call, self.timeout_seconds)
        try:
            version = self.reader(reply)
            if len(version) > VERSION_MAX_CHARS or not version.isprintable():
                raise Unreadable(_("its version is too long or cannot be shown"))
        except Unreadable as unreadable:
            raise ServiceBadAnswer(
                SERVICE, method="GET", url=shown(url), cause=unreadable.message
            ) from None
        return version
