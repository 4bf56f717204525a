"""A text for people that is stored untranslated and shown in the reader's language."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils import translation
from django.utils.translation import gettext


@dataclass(frozen=True)
class Message:
    """An English template (marked with `gettext_noop` where it is written) and its values.

    Stored as `{"template", "values"}`, so that what a worker wrote at night can be read in
    Chinese in the morning. A value may be a message, too: it is translated with the whole.
    """

    template: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The text in the language that is active now."""
        return gettext(self.template) % self._shown(str) if self.template else ""

    @property
    def english(self) -> str:
        """The text as it goes into logs and into the record."""
        return self.template % self._shown(lambda part: part.english)

    def as_json(self) -> dict[str, Any]:
        values = {
            name: value.as_json() if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return {"template": self.template, "values": values}

    @classmethod
    def of(cls, label: object) -> Self:
        """The message that says a label of `gettext_lazy`, in whatever language it is read."""
        with translation.override("en"):
            return cls(str(label))

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> Self | None:
        return cls(stored["template"], stored["values"]) if stored else None

    def _shown(self, show: "Callable[[Message], str]") -> dict[str, Any]:
        return {
            name: show(part) if (part := _part(value)) else value
            for name, value in self.values.items()
        }


def _part(value: Any) -> Message | None:
    if isinstance(value, dict) and value.keys() == {"template", "values"}:
        return Message.from_json(value)
    return value if isinstance(value, Message) else None
