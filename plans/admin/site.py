"""The admin's site: open to every role, closed to strangers."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from plans.actor import Permission
from plans.rendering.sign_in_form import SignInForm

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class AuditSite(AdminSite):
    """An admin that asks for the permission to view plans where Django asks for `is_staff`."""

    site_title = _("Bluegreen audit")
    site_header = _("Bluegreen audit")
    index_title = _("What happened, and who did it")
    empty_value_display = "–"
    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm(Permission.VIEW)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        def open_to_roles(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Signing in again, which Django would offer, does not help who has no role.
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return update_wrapper(open_to_roles, guarded)  # type: ignore[return-value]
