"""Where the doors are."""

from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.i18n import set_language

from plans import admin
from plans.web.sign_in import SignIn

urlpatterns = [
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("api/", include("plans.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("plans.web.urls")),
]

handler400 = "plans.web.error_pages.bad_request"
handler403 = "plans.web.error_pages.forbidden"
handler404 = "plans.web.error_pages.not_found"
handler500 = "plans.web.error_pages.server_error"
