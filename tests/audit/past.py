"""What somebody with access to the database can do, past every guard of the ORM."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def without_foreign_keys() -> Iterator[None]:
    """For the owner of the tables foreign keys are no obstacle."""
    off, on = {
        "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
        "postgresql": (
            "SET session_replication_role = replica",
            "SET session_replication_role = origin",
        ),
    }[connection.vendor]
    sql(off)
    try:
        yield
    finally:
        sql(on)
