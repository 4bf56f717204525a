"""Asks at any address of the matrix, as somebody with a role."""

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from plans.models import ApiToken, Event, Plan, Task
from tests.acceptance.matrix import Rule, Who
from tests.acceptance.rows import make_rows


def filled(address: str, rows: dict[str, object] | None = None) -> str:
    """The address with the keys of `rows` in it; without rows, with 1 everywhere."""
    known = rows or {}
    for name in {part.split("}")[0] for part in address.split("{")[1:]}:
        address = address.replace(f"{{{name}}}", str(known.get(name, 1)))
    return address


class Caller:
    """Asks as one of a role; what it does is undone each time."""

    def __init__(self, who: Who, **options: Any) -> None:
        self._rows = make_rows()
        self._client = client_of(who, **options)
        self._cookies = self._client.cookies
        self._before = _standing()

    def ask(self, method: str, address: str, rule: Rule) -> tuple[HttpResponse, bool]:
        """The answer, and whether anything is different after it."""
        # Who has signed out is back.
        self._client.cookies = SimpleCookie(self._cookies)
        with transaction.atomic():
            answer = self._send(method, filled(address, self._rows), rule)
            is_changed = _standing() != self._before
            transaction.set_rollback(True)
        return answer, is_changed

    def _send(self, method: str, path: str, rule: Rule) -> HttpResponse:
        if method != "POST":
            return self._client.generic(method, path, QUERY_STRING=urlencode(rule.query))
        if path.startswith("/api/"):
            return self._client.post(path, json.dumps(rule.body), content_type="application/json")
        form = {name: filled(text, self._rows) for name, text in rule.body.items()}
        return self._client.post(path, form)


def client_of(who: Who, **options: Any) -> Client:
    """A browser of somebody with that role; `options` are those of Django's `Client`."""
    client = Client(raise_request_exception=False, **options)
    if who is not Who.ANONYMOUS:
        user = User.objects.create(username=who.name.lower())
        user.groups.set(Group.objects.filter(name=user.username))
        client.force_login(user)
    return client


def _standing() -> list[Any]:
    """What nobody may change who may not."""
    return [
        *Plan.objects.order_by("pk").values_list("state", "revision"),
        *Task.objects.order_by("pk").values_list("state", "revision", "control"),
        *User.objects.order_by("pk").values_list("username", "password", "is_active"),
        *(model._default_manager.count() for model in (ApiToken, Event, Group, LogEntry)),
    ]
