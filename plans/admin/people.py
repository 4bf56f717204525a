"""Who may do what: users and roles, which the role admin edits, API tokens, and the log of that."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group, User
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from plans.admin.lookups import DeclaredLookups
from plans.admin.read_only import ReadOnlyAdmin
from plans.models import ApiToken
from plans.reserved import require_a_name_of_ones_own
from plans.roles import ROLES


class NewPersonForm(AdminUserCreationForm):
    """Makes a user, under a name that stands for nobody else in the audit."""

    def clean_username(self) -> str:
        name = super().clean_username()
        if name:
            require_a_name_of_ones_own(name)
        return name


class PersonAdmin(DeclaredLookups, UserAdmin):
    """Users and their roles.

    A user is deactivated, never deleted, and keeps the name: it stands in the audit, must not
    become somebody else's, and tells who may not decide about a plan of one's own. Only a
    superuser makes or changes a superuser.
    """

    add_form = NewPersonForm

    list_display = ("username", "email", "roles", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "groups")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups",)
    actions = None

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "username")

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = ["is_active", "groups"]
        if request.user.is_superuser:
            rights.append("is_superuser")
        return [
            (None, {"fields": ["username", "password"]}),
            (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
            (_("Roles"), {"fields": rights}),
            (_("Dates"), {"fields": ["last_login", "date_joined"]}),
        ]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class RoleAdmin(DeclaredLookups, GroupAdmin):
    """Roles and their permissions. Those that Bluegreen comes with mean the same everywhere."""

    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_built_in(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_built_in(obj) and super().has_delete_permission(request, obj)


class TokenAdmin(ReadOnlyAdmin):
    """API tokens: an admin can take one back. `manage.py token` makes, lists and revokes them."""

    hidden = ("digest",)
    list_display = (
        "id",
        "user",
        "label",
        "scope",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    search_help_text = _("User")
    ordering = ("-pk",)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return request.user.has_perm("plans.delete_apitoken")


class ChangeAdmin(ReadOnlyAdmin):
    """What was changed here, of users, roles and tokens, and by whom."""

    list_display = ("action_time", "user", "content_type", "object_repr", "__str__")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr")
    search_help_text = _("Who, or what")
    ordering = ("-pk",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return request.user.has_perm("auth.view_user")


def register(site: AdminSite) -> None:
    """Show these models on `site`."""
    site.register(User, PersonAdmin)
    site.register(Group, RoleAdmin)
    site.register(ApiToken, TokenAdmin)
    site.register(LogEntry, ChangeAdmin)


def _is_built_in(role: Group | None) -> bool:
    return role is not None and role.name in ROLES
