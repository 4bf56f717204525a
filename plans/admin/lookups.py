"""By what the lists of the admin may be filtered through their addresses."""

from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.http import HttpRequest

LOOKUPS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")
"""What Django's own filters of lists ask of a field; none computes more than a comparison."""


class DeclaredLookups(ModelAdmin):
    """Lists that are filtered by what `list_filter` and `linked_by` declare, and by nothing else.

    Django would let an address ask anything of a field of the row's own: also a regular
    expression, which SQLite runs in this process, and which may take for ever.
    """

    linked_by: ClassVar[tuple[str, ...]] = ()
    """Lookups with which links of other pages come."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # PostgreSQL stores no NUL, and fails where one is asked for.
        return "\x00" not in value and (
            lookup in self.linked_by or any(lookup in _asked(each) for each in self.list_filter)
        )


def _asked(declared: Any) -> tuple[str, ...]:
    """The lookups of one filter, as `list_filter` declares it."""
    if isinstance(declared, type) and issubclass(declared, SimpleListFilter):
        return (str(declared.parameter_name),)
    field = declared if isinstance(declared, str) else declared[0]
    return tuple(field + lookup for lookup in LOOKUPS)
