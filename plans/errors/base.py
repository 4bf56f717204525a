"""What all errors of Bluegreen have."""

from typing import Any

from django.utils.translation import gettext_noop as _

from plans.message import Message


class BluegreenError(Exception):
    """Root of all errors of Bluegreen. `message` is for people, `code` for programs."""

    code = "ERROR"
    retryable = False
    template = _("Something went wrong.")

    def __init__(self, template: str | None = None, /, **values: Any) -> None:
        self.message = Message(template or self.template, values)
        super().__init__(self.message.english)


class AppendOnly(BluegreenError):
    """Code tried to change or delete a recorded event: record another one instead."""

    code = "APPEND_ONLY"
    template = _("Recorded events are never changed or deleted.")
