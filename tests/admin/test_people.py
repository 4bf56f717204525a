"""Roles are given in the admin, and nobody makes more of himself than an admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> User:
    """Somebody with the role admin, signed in with `client`."""
    user = User.objects.create_user("anna")
    user.groups.add(Group.objects.get(name="admin"))
    client.force_login(user)
    return user


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
