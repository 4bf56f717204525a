"""Who may do something, by name, for those who may not."""

from django.contrib.auth.models import User

from plans.actor import Permission

NAMES_MAX = 10
BACKEND = "django.contrib.auth.backends.ModelBackend"


def names_of_who_may(permission: Permission) -> list[str]:
    """Some of the people who may, by their roles or as superusers."""
    people = User.objects.with_perm(permission, backend=BACKEND).order_by("username")
    return list(people.values_list("username", flat=True)[:NAMES_MAX])
