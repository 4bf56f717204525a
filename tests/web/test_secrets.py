"""No page shows a secret of a configuration: neither before a plan is made, nor while it runs."""

from typing import Any

import pytest

from plans.models import Task
from plans.preview.changes import changes
from plans.queries.config_diff import config_diff

SECRET = "hunter2"
KEYS = (
    "password",
    "db_passwd",
    "passphrase",
    "clientSecret",
    "token",
    "apiKey",
    "private_key",
    "access_key",
    "credentials",
    "Authorization",
    "cookie",
    "signature",
    "pin",
    "dsn",
)
HOLDERS: list[dict[str, Any]] = [
    {"url": f"postgres://app:{SECRET}@db/x"},
    {"urls": [f"redis://:{SECRET}@db/0"]},
    {"credentials": {"user": SECRET}},
    *({"deep": [{key: SECRET}]} for key in KEYS),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=str)
@pytest.mark.parametrize("other", [{}, {"deep": [{"password": "old"}]}], ids=["none", "other"])
def test_a_secret_is_shown_by_neither_difference(
    holder: dict[str, Any], other: dict[str, Any]
) -> None:
    for before, after in ((other, holder), (holder, other)):
        task = Task(previous={"payload": before}, target={"payload": after})
        assert changes(before, after)
        assert config_diff(task).is_changed
        assert SECRET not in f"{changes(before, after)} {config_diff(task)}"
