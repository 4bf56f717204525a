"""Make the demo's users: `python -m scripts.demo.people`, in the demo's environment.

Reads `{"name": "password"}` from standard input; each name is a role. Prints an API token of the
operator, which the demo uses as any script would.
"""

import json
import sys

import django

django.setup()

# Models can be imported only once Django is set up.
from django.contrib.auth.models import Group, User  # noqa: E402

from plans.models.api_token import ApiToken  # noqa: E402


def main() -> None:
    """Create or renew the users and print the token."""
    for name, password in json.load(sys.stdin).items():
        user, _ = User.objects.get_or_create(username=name)
        user.is_staff = user.is_superuser = name == "admin"
        user.set_password(password)
        user.save()
        user.groups.set([Group.objects.get(name=name)])
        if name == "operator":
            print(ApiToken.issue(user))


if __name__ == "__main__":
    main()
