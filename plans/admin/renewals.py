"""Renewals of keys, and the processes that make them."""

import json

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _

from plans.admin.read_only import ReadOnlyAdmin
from plans.models import Renewal, RenewalProcess

KEYS_SHOWN = 20


@admin.display(description=_("keys"))
def selected(row: Renewal) -> str:
    """The selector in short: a list may hold a hundred thousand keys."""
    selector = row.selector
    if selector.get("kind") != "list":
        return json.dumps(selector, ensure_ascii=False)
    keys = selector["keys"]
    more = " …" if len(keys) > KEYS_SHOWN else ""
    return ", ".join(keys[:KEYS_SHOWN]) + more


class RenewalAdmin(ReadOnlyAdmin):
    """Renewals, latest first."""

    links = (selected,)
    hidden = ("selector",)
    list_display = ("id", "name", "key_count", "owner", "created_at", "stopped_at", "stop_reason")
    list_display_links = ("id", "name")
    list_filter = ("stop_reason", "redis")
    list_select_related = ("owner",)
    search_fields = ("=id", "name", "created_by")
    search_help_text = _("Renewal id, name, or who created it")
    ordering = ("-pk",)


class RenewalProcessAdmin(ReadOnlyAdmin):
    """Processes, latest first."""

    list_display = ("name", "started_at", "seen_at", "ended_at", "keys", "renewed", "failed")
    search_fields = ("name",)
    ordering = ("-pk",)


def register(site: AdminSite) -> None:
    """Show these models on `site`."""
    site.register(Renewal, RenewalAdmin)
    site.register(RenewalProcess, RenewalProcessAdmin)
