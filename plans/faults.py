"""Values that are wrong: our own error for them, and what pydantic finds, in translatable words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from plans.message import Message

_TEXTS = {
    "bool_parsing": _("Give true or false."),
    "bool_type": _("Give true or false."),
    "dict_type": _("Give a JSON object."),
    "enum": _("Give %(expected)s."),
    "extra_forbidden": _("There is no such field."),
    "finite_number": _("Give a finite number."),
    "float_parsing": _("Give a number."),
    "float_type": _("Give a number."),
    "greater_than": _("Give more than %(gt)s."),
    "greater_than_equal": _("Give at least %(ge)s."),
    "int_from_float": _("Give a whole number."),
    "int_parsing": _("Give a whole number."),
    "int_parsing_size": _("Give a smaller number."),
    "int_type": _("Give a whole number."),
    "less_than": _("Give less than %(lt)s."),
    "less_than_equal": _("Give at most %(le)s."),
    "list_type": _("Give a list."),
    "literal_error": _("Give %(expected)s."),
    "missing": _("This field is needed."),
    "model_attributes_type": _("Give a JSON object."),
    "model_type": _("Give a JSON object."),
    "string_pattern_mismatch": _("Give a text of the form %(pattern)s."),
    "string_too_long": _("Give at most %(max_length)s characters."),
    "string_too_short": _("Give at least %(min_length)s characters."),
    "string_type": _("Give a text."),
    "string_unicode": _("Give a text of whole characters."),
    "too_long": _("Give at most %(max_length)s entries."),
    "too_short": _("Give at least %(min_length)s entries."),
    "tuple_type": _("Give a list."),
    "union_tag_invalid": _("Give one of the kinds %(expected_tags)s."),
    "union_tag_not_found": _("Say of which kind it is."),
}


class Invalid(ValueError):
    """A value that somebody gave is no such thing; `message` says what to give."""

    def __init__(self, template: str, /, **values: Any) -> None:
        self.message = Message(template, values)
        super().__init__(self.message.english)


def message_of(fault: Mapping[str, Any]) -> Message:
    """One entry of `ValidationError.errors()` for people; pydantic's own words where it is rare."""
    context = fault.get("ctx") or {}
    error = context.get("error")
    if isinstance(error, Invalid):
        return error.message
    if text := _TEXTS.get(fault["type"]):
        return Message(text, {name: _plain(value) for name, value in context.items()})
    return Message("%(what)s", {"what": str(error or fault["msg"])})


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | float) else str(value)
