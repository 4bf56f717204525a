"""Events and journals: who did what, when and why."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite, DateFieldListFilter, ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from plans.admin.read_only import ReadOnlyAdmin
from plans.admin.switching import links_to
from plans.models import Event, Journal, PlanState, StageRunState, TaskState
from plans.queries.feed import text_of

LABELS = {
    state.value: state.label for states in (StageRunState, TaskState, PlanState) for state in states
}


class JournalFilter(SimpleListFilter):
    """Events of plans, or those of the installation, such as refusals."""

    title = _("journal")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterable[tuple[str, Any]]:
        return [("plans", _("of plans")), ("installation", _("of the installation: refusals"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if self.value() is None:
            return queryset
        return queryset.filter(plan__isnull=self.value() == "installation")


class EventAdmin(ReadOnlyAdmin):
    """Events, latest first. The number is that in the plan's own sequence."""

    list_display = ("at", "seq", "plan", "tenant_id", "kind", "actor", "change", "why")
    list_display_links = ("at", "seq")
    linked_by = ("plan__id__exact", "task__id__exact", "journal__id__exact", "tenant_id")
    list_filter = ("kind", JournalFilter, ("at", DateFieldListFilter))
    list_select_related = ("plan",)
    search_fields = ("=tenant_id", "=plan__id", "plan__name", "actor", "kind", "reason")
    search_help_text = _("Tenant id, plan id or name, who, kind or reason")
    ordering = ("-pk",)

    @admin.display(description=_("change"))
    def change(self, event: Event) -> str:
        states = (LABELS.get(state, state) for state in (event.from_state, event.to_state) if state)
        return " → ".join(map(str, states))

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, event: Event) -> str:
        return text_of(event)


class JournalAdmin(ReadOnlyAdmin):
    """Heads of journals, as `manage.py verify_audit --export` writes them."""

    links = (links_to(Event, "journal__id__exact"),)
    list_display = ("name", "last_seq", "last_hash")
    search_fields = ("name",)
    search_help_text = _("Name, as plan:12")
    ordering = ("-pk",)


def register(site: AdminSite) -> None:
    """Show these models on `site`."""
    site.register(Event, EventAdmin)
    site.register(Journal, JournalAdmin)
