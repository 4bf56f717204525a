"""A text for people that is stored untranslated and shown in the reader's language."""

from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.translation import gettext


@dataclass(frozen=True)
class Message:
    """An English template (marked with `gettext_noop` where it is written) and its values.

    Stored as `{"template", "values"}`, so that what a worker wrote at night can be read in
    Chinese in the morning.
    """

    template: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The text in the language that is active now."""
        return gettext(self.template) % self.values if self.template else ""

    @property
    def english(self) -> str:
        """The text as it goes into logs and into the API."""
        return self.template % self.values

    def as_json(self) -> dict[str, Any]:
        return {"template": self.template, "values": self.values}

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> Self | None:
        return cls(stored["template"], stored["values"]) if stored else None
