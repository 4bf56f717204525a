"""Roles are given in the admin, and nobody makes more of himself than an admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from plans.actor import SYSTEM

pytestmark = pytest.mark.django_db

NAMES_OF_BLUEGREEN = [SYSTEM.name, "BlueGreen", "ｂｌｕｅｇｒｅｅｎ", "ＢLUEGREEN"]


@pytest.fixture
def admin(client: Client) -> User:
    """Somebody with the role admin, signed in with `client`."""
    user = User.objects.create_user("anna")
    user.groups.add(Group.objects.get(name="admin"))
    client.force_login(user)
    return user


def new_user(name: str) -> dict[str, str]:
    password = "a very good one"
    return {
        "username": name,
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }


def page_of(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def test_the_role_admin_gives_a_role(client: Client, admin: User) -> None:
    paula = User.objects.create_user("paula")
    operator = Group.objects.get(name="operator")
    form = {"username": "paula", "is_active": "on", "groups": [operator.pk]}
    assert client.post(page_of(paula), form).status_code == 302
    assert paula.groups.get() == operator
    assert User.objects.get(pk=paula.pk).has_perm("plans.operate_plan")


def test_the_role_admin_makes_no_superuser(client: Client, admin: User) -> None:
    form = {"username": "anna", "is_active": "on", "is_superuser": "on", "is_staff": "on"}
    assert client.post(page_of(admin), form).status_code == 302
    anna = User.objects.get(pk=admin.pk)
    assert not anna.is_superuser
    assert not anna.is_staff


def test_the_role_admin_changes_no_superuser(client: Client, admin: User) -> None:
    root = User.objects.create_superuser("root", password="a good one")
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    new = {"password1": "another good one", "password2": "another good one"}
    assert client.post(page_of(root), {"username": "mine"}).status_code == 403
    assert client.post(password, new).status_code == 403
    assert User.objects.get(pk=root.pk).check_password("a good one")


@pytest.mark.parametrize("is_superuser", [False, True])
def test_nobody_gives_a_user_another_name(client: Client, admin: User, is_superuser: bool) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=is_superuser)
    form = {"username": "olga", "first_name": "Anna", "is_active": "on"}
    assert client.post(page_of(admin), form).status_code == 302
    anna = User.objects.get(pk=admin.pk)
    assert (anna.username, anna.first_name) == ("anna", "Anna")


def test_the_role_admin_makes_a_user(client: Client, admin: User) -> None:
    assert client.post(reverse("admin:auth_user_add"), new_user("paula")).status_code == 302
    assert User.objects.get(username="paula").check_password("a very good one")


@pytest.mark.parametrize("name", NAMES_OF_BLUEGREEN)
def test_nobody_is_made_under_the_name_of_bluegreen_itself(
    client: Client, admin: User, name: str
) -> None:
    refused = client.post(reverse("admin:auth_user_add"), new_user(name))
    assert "stands for Bluegreen itself" in refused.content.decode()
    with pytest.raises(ValidationError, match="stands for Bluegreen itself"):
        User.objects.create_user(name)
    with pytest.raises(CommandError, match="stands for Bluegreen itself"):
        call_command("createsuperuser", interactive=False, username=name, email="a@example.net")
    assert User.objects.get() == admin


def test_who_had_the_name_of_bluegreen_before_can_be_deactivated(
    client: Client, admin: User
) -> None:
    old = User.objects.create_user("old")
    User.objects.filter(pk=old.pk).update(username=SYSTEM.name)
    assert client.post(page_of(old), {}).status_code == 302
    assert not User.objects.get(pk=old.pk).is_active


def test_a_role_that_bluegreen_comes_with_stays_as_it_is(client: Client, admin: User) -> None:
    viewer = Group.objects.get(name="viewer")
    page = reverse("admin:auth_group_change", args=[viewer.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "gone", "permissions": []}).status_code == 403
    viewer = Group.objects.get(pk=viewer.pk)
    assert viewer.name == "viewer"
    assert viewer.permissions.exists()


def test_the_role_admin_makes_a_role_and_deletes_it(client: Client, admin: User) -> None:
    view = Permission.objects.get(codename="view_plan")
    form = {"name": "auditor", "permissions": [view.pk]}
    assert client.post(reverse("admin:auth_group_add"), form).status_code == 302
    auditor = Group.objects.get(name="auditor")
    assert auditor.permissions.get() == view
    delete = reverse("admin:auth_group_delete", args=[auditor.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(name="auditor").exists()
