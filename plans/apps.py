"""The application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_save
from django.utils.translation import gettext_lazy as _

from plans import checks  # noqa: F401  importing registers them


class PlansConfig(AppConfig):
    name = "plans"
    verbose_name = _("Plans")

    def ready(self) -> None:
        """Let installed packages add their stages, pipelines, validators and listeners."""
        # Models can be imported only from here on.
        from plans import extensions, reserved, roles  # noqa: PLC0415

        extensions.load()
        post_migrate.connect(roles.make_roles, sender=self, dispatch_uid="plans.roles")
        pre_save.connect(
            reserved.guard_new_users, sender="auth.User", dispatch_uid="plans.reserved"
        )
