"""Plans, waves, tasks, stage runs and tenants as auditors see them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite, DateFieldListFilter
from django.db import models
from django.utils.translation import gettext_lazy as _

from plans.admin.read_only import ReadOnlyAdmin, link, rows_of
from plans.models import Event, Plan, StageRun, Task, Tenant, Wave


def links_to(model: type[models.Model], by: str) -> Callable[[models.Model], Any]:
    """A function of a row that links to the rows of `model` whose `by` is that row."""

    @admin.display(description=model._meta.verbose_name_plural)
    def shown(row: models.Model) -> Any:
        name = model._meta.verbose_name_plural
        return link(rows_of(model, **{by: row.pk}), _("show %(rows)s") % {"rows": name})

    shown.__name__ = f"{model._meta.model_name}s"
    return shown


class PlanAdmin(ReadOnlyAdmin):
    """Plans, latest first."""

    links = (
        links_to(Event, "plan__id__exact"),
        links_to(Task, "plan__id__exact"),
        links_to(Wave, "plan__id__exact"),
    )
    list_display = ("id", "name", "state", "target", "created_by", "created_at", "finished_at")
    list_display_links = ("id", "name")
    list_filter = ("state", "target", "failure_policy", ("created_at", DateFieldListFilter))
    search_fields = ("=id", "name", "created_by", "started_by")
    search_help_text = _("Plan id, name, or who created or started it")
    ordering = ("-pk",)


class WaveAdmin(ReadOnlyAdmin):
    """Waves, those of the latest plan first."""

    links = (links_to(Task, "wave__id__exact"),)
    linked_by = ("plan__id__exact",)
    list_display = ("id", "plan", "index", "mode", "size", "started_at", "finished_at")
    list_filter = ("mode",)
    list_select_related = ("plan",)
    search_fields = ("=plan__id", "plan__name")
    search_help_text = _("Plan id or name")
    ordering = ("-plan", "index")


class TaskAdmin(ReadOnlyAdmin):
    """Tasks, latest first."""

    links = (links_to(Event, "task__id__exact"), links_to(StageRun, "task__id__exact"))
    linked_by = ("plan__id__exact", "wave__id__exact", "tenant__tenant_id__exact")
    list_display = ("id", "plan", "tenant_id", "state", "step", "retries", "finished_at")
    list_filter = ("state", ("finished_at", DateFieldListFilter))
    list_select_related = ("plan",)
    search_fields = ("=id", "=tenant__tenant_id", "=plan__id", "plan__name")
    search_help_text = _("Task id, tenant id, plan id or name")
    ordering = ("-pk",)


class StageRunAdmin(ReadOnlyAdmin):
    """Recorded attempts at stages, latest first."""

    linked_by = ("task__id__exact",)
    list_display = ("id", "task", "stage", "direction", "attempt", "state", "started_at")
    list_filter = ("state", "direction", ("started_at", DateFieldListFilter))
    list_select_related = ("task",)
    search_fields = ("=task__tenant__tenant_id", "=task__id", "stage")
    search_help_text = _("Tenant id, task id or stage")
    ordering = ("-pk",)


class TenantAdmin(ReadOnlyAdmin):
    """The registry of tenants."""

    links = (links_to(Task, "tenant__tenant_id__exact"), links_to(Event, "tenant_id"))
    list_display = ("tenant_id", "name", "environment", "config_version", "synced_at", "gone_at")
    list_filter = ("environment", ("gone_at", DateFieldListFilter))
    search_fields = ("tenant_id", "name")
    search_help_text = _("Tenant id or name")
    ordering = ("tenant_id",)


def register(site: AdminSite) -> None:
    """Show these models on `site`."""
    site.register(Plan, PlanAdmin)
    site.register(Wave, WaveAdmin)
    site.register(Task, TaskAdmin)
    site.register(StageRun, StageRunAdmin)
    site.register(Tenant, TenantAdmin)
