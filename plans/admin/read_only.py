"""Pages that show a model and change nothing, whatever the user may do elsewhere."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from plans.admin.lookups import DeclaredLookups
from plans.message import Message


class ReadOnlyAdmin(DeclaredLookups):
    """Lists and shows rows; made for tables with millions of them.

    A list counts the rows that match once, and nothing else; related rows are fetched by one join.
    """

    actions = None
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 50
    links: Sequence[Callable[..., Any]] = ()
    """Functions of a row that link to what belongs to it; shown below its fields."""
    hidden: Sequence[str] = ()
    """Names of fields that are not shown."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        fields = [f for f in self.model._meta.concrete_fields if f.name not in self.hidden]
        shown = [as_json(f) if isinstance(f, models.JSONField) else f.name for f in fields]
        return [*shown, *self.links]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[Any]:
        return self.get_fields(request, obj)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        found = super().get_changelist_instance(request)
        # "Select plan to view" is Django's word for a list one came to read.
        found.title = str(self.opts.verbose_name_plural)
        return found


def as_json(field: models.JSONField) -> Callable[[models.Model], Any]:
    """How the JSON of `field` is shown: indented, and a message as its text."""

    def shown(row: models.Model) -> Any:
        value = getattr(row, field.attname)
        if value in (None, {}, []):
            return None
        if isinstance(value, dict) and set(value) == {"template", "values"}:
            return str(Message.from_json(value))
        return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))

    shown.__name__ = field.name
    shown.short_description = field.verbose_name  # type: ignore[attr-defined]
    return shown


def rows_of(model: type[models.Model], **filters: Any) -> str:
    """The address of the list of `model` with `filters`."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}"


def link(address: str, text: object) -> SafeString:
    """A link."""
    return format_html('<a href="{}">{}</a>', address, text)
