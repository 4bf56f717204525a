"""The four roles: Django groups whose permissions grow from viewer to admin.

They are made anew after every `migrate`, so a role means the same in every installation and a
new version may widen one.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission

VIEWS: tuple[str, ...] = (
    "view_plan",
    "view_wave",
    "view_task",
    "view_stagerun",
    "view_event",
    "view_tenant",
)
VIEWS += ("view_journal", "view_renewal", "view_renewalprocess")
OPERATES: tuple[str, ...] = (*VIEWS, "operate_plan")
APPROVES: tuple[str, ...] = (*OPERATES, "approve_plan")
ADMINISTERS: tuple[str, ...] = (*APPROVES, "view_apitoken", "delete_apitoken")
ADMINISTERS += tuple(
    f"{verb}_{model}" for model in ("user", "group") for verb in ("view", "add", "change", "delete")
)

ROLES = {"viewer": VIEWS, "operator": OPERATES, "approver": APPROVES, "admin": ADMINISTERS}


def make_roles(**kwargs: Any) -> None:
    """Make the groups and set their permissions; a `post_migrate` handler."""
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(
            Permission.objects.filter(
                codename__in=codenames, content_type__app_label__in=("auth", "plans")
            )
        )
