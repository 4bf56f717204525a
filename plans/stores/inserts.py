"""New rows of one model, in as few statements as the database takes quickest."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, models

from plans.slices import slices
from plans.stores.columns import insertable, key_of, quoted, table_of
from plans.stores.journey import Statement, StatementResult

VALUES_MAX = 50
"""Values of one statement that lists them."""


def insert(rows: Sequence[models.Model]) -> list[Statement]:
    """Insert new rows of one model; without `pre_save`. `give_keys` takes what they return.

    PostgreSQL gets several rows as one JSON value: the statement has the same text for any number
    of them, so it is prepared once, and psycopg need not write down each value.
    """
    if not rows:
        return []
    model = type(rows[0])
    fields = insertable(model)
    if connection.vendor == "postgresql" and len(rows) > 1:
        return [Statement(_json_text(model), [_as_json(fields, rows)])]
    at_once = max(1, VALUES_MAX // len(fields))
    return [_listed(model, fields, some) for some in slices(rows, at_once)]


def give_keys(rows: Sequence[models.Model], results: Iterable[StatementResult]) -> None:
    """Tell rows that were inserted their keys, which nothing else among `results` returned."""
    keys = (key for result in results for (key,) in result.rows)
    for row, key in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding = False


def _listed(
    model: type[models.Model], fields: tuple[Any, ...], rows: Sequence[models.Model]
) -> Statement:
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    return Statement(_listed_text(model, len(rows)), values)


@cache
def _listed_text(model: type[models.Model], count: int) -> str:
    columns = [quoted(field.column) for field in insertable(model)]
    row = f"({', '.join(['%s'] * len(columns))})"
    return (
        f"INSERT INTO {table_of(model)} ({', '.join(columns)}) "
        f"VALUES {', '.join([row] * count)} RETURNING {key_of(model)}"
    )


def _as_json(fields: tuple[Any, ...], rows: Sequence[models.Model]) -> str:
    given = [
        {field.column: field.get_prep_value(row.__dict__[field.attname]) for field in fields}
        for row in rows
    ]
    return json.dumps(given, default=_moment)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no column here takes {value!r}")


@cache
def _json_text(model: type[models.Model]) -> str:
    fields = insertable(model)
    columns = ", ".join(quoted(field.column) for field in fields)
    typed = ", ".join(f"{quoted(f.column)} {f.rel_db_type(connection)}" for f in fields)
    # In their order, by which whoever asked tells whose key is whose.
    return (
        f"INSERT INTO {table_of(model)} ({columns}) SELECT {columns} "
        f"FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS ({typed})) WITH ORDINALITY "
        f"ORDER BY ordinality RETURNING {key_of(model)}"
    )
