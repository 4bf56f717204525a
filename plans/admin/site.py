"""The admin's site: open to every role, closed to strangers."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from plans.actor import Permission
from plans.rendering.sign_in_form import SignInForm, told_to_wait

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

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = super().login(request, extra_context)
        shown = answer.context_data if isinstance(answer, TemplateResponse) else None
        return told_to_wait(answer, (shown or {}).get("form"))

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        # Browsers keep none of it, whatever Django says: also these pages name who is signed in.
        guarded = super().admin_view(view, cacheable=False)

        def open_to_roles(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Signing in again, which Django would offer, does not help who has no role.
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return update_wrapper(open_to_roles, guarded)  # type: ignore[return-value]
