"""People who call the API, each with a token."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from plans.models import ApiToken

JSON = "application/json"


class Caller:
    """Calls the API as one person."""

    def __init__(self, token: str | None) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {token}"} if token else None)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api{path}", query)

    def post(self, path: str, body: object = None) -> Any:
        """`body` None sends none."""
        data = b"" if body is None else json.dumps(body).encode()
        return self.send(path, data)

    def send(self, path: str, data: bytes, content_type: str = JSON, **headers: str) -> Any:
        """A body as it is."""
        return self._client.generic("POST", f"/api{path}", data, content_type, **headers)

    def ask(self, method: str, path: str) -> Any:
        """Any method, with an empty object where there is a body."""
        data = b"{}" if method == "POST" else b""
        return self._client.generic(method, f"/api{path}", data, JSON)


def make_user(role: str) -> User:
    """A user of the group `role`; a stranger is in none."""
    user = User.objects.create_user(role)
    if role != "stranger":
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def calling(db: None) -> Callable[[str], Caller]:
    """Makes the caller of a role: viewer, operator, …, stranger; nobody has no token."""
    callers: dict[str, Caller] = {"nobody": Caller(None)}

    def caller(role: str) -> Caller:
        if role not in callers:
            callers[role] = Caller(ApiToken.issue(make_user(role)))
        return callers[role]

    return caller


@pytest.fixture
def operator(calling: Callable[[str], Caller]) -> Caller:
    return calling("operator")
