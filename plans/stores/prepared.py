"""Statements of one fixed shape, whose text is made once.

A stage's end is six statements. Django's query compiler takes several times longer to write each
than the database to run it, so the ones that every stage needs are kept as text here. Values go
through the fields, as in the ORM. For everything else use the ORM.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Q

from plans.stores import journey
from plans.stores.columns import (
    column_of,
    compiled,
    field_of,
    key_of,
    table_of,
)
from plans.stores.journey import Statement, StatementResult

Row = TypeVar("Row", bound=models.Model)


def update(
    model: type[models.Model],
    key: Any,
    changes: Mapping[str, Any],
    guard: Mapping[str, Any],
    *,
    where: Q | None = None,
    increment: str = "",
) -> Statement:
    """`UPDATE … SET changes, increment = increment + 1 WHERE id = key AND guard AND where`.

    `changes` are values or expressions by attribute name, `guard` values.
    """
    sets: list[tuple[str, str]] = []
    values: list[Any] = []
    for name, value in changes.items():
        if hasattr(value, "resolve_expression"):
            text, params = compiled(model, value)
            sets.append((name, text))
            values.extend(params)
        else:
            sets.append((name, "%s"))
            values.append(field_of(model, name).get_db_prep_save(value, connection))
    for name, value in guard.items():
        values.append(field_of(model, name).get_db_prep_save(value, connection))
    condition, params = compiled(model, where) if where else ("", ())
    text = _update_text(model, tuple(sets), tuple(guard), condition, increment)
    return Statement(text, [*values, *params, key])


def lock(model: type[models.Model], key: Any, names: tuple[str, ...]) -> Statement:
    """Read `names` of the row `key` and lock it (without its key) until the commit."""
    return Statement(_select_text(model, names, True), [key])


def select(
    model: type[models.Model],
    where: Mapping[str, Any],
    *,
    order: str = "",
    limit: int | None = None,
    lock: bool = False,
) -> Statement:
    """The whole rows with the values `where`; `rows_of` reads them. `lock` is as in `lock()`."""
    values = [
        field_of(model, name).get_db_prep_save(value, connection) for name, value in where.items()
    ]
    if limit is not None:
        values.append(limit)
    names = tuple(field.attname for field in model._meta.concrete_fields)
    return Statement(
        _select_text(model, names, lock, tuple(where), order, limit is not None), values
    )


def rows_of(model: type[Row], result: StatementResult) -> list[Row]:
    """What `select` found, as instances."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    rows = []
    for found in result.rows:
        values = list(found)
        for place, expression, converters in _converters(model):
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        rows.append(model.from_db(connection.alias, names, values))
    return rows


def fetch(model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
    """The row `key` as an instance, or None; with `lock`, locked (without its key)."""
    by_key = select(model, {"id": key}, lock=lock)
    return next(iter(rows_of(model, *journey.run([by_key]))), None)


@cache
def _update_text(
    model: type[models.Model],
    changes: tuple[tuple[str, str], ...],
    guard: tuple[str, ...],
    where: str,
    increment: str,
) -> str:
    sets = [f"{column_of(model, name)} = {text}" for name, text in changes]
    if increment:
        column = column_of(model, increment)
        sets.append(f"{column} = {column} + 1")
    conditions = [f"{column_of(model, name)} = %s" for name in guard]
    if where:
        conditions.append(f"({where})")
    conditions.append(f"{key_of(model)} = %s")
    return f"UPDATE {table_of(model)} SET {', '.join(sets)} WHERE {' AND '.join(conditions)}"


@cache
def _select_text(
    model: type[models.Model],
    names: tuple[str, ...],
    lock: bool,
    where: tuple[str, ...] = ("id",),
    order: str = "",
    is_limited: bool = False,
) -> str:
    columns = ", ".join(column_of(model, name) for name in names)
    conditions = " AND ".join(f"{column_of(model, name)} = %s" for name in where)
    text = f"SELECT {columns} FROM {table_of(model)} WHERE {conditions}"
    if order:
        text += f" ORDER BY {column_of(model, order)}"
    if is_limited:
        text += " LIMIT %s"
    if lock and connection.features.has_select_for_update:
        text += " FOR NO KEY UPDATE"
    return text


@cache
def _converters(model: type[models.Model]) -> tuple[tuple[int, Any, list[Any]], ...]:
    """For each column that needs it: its place, its expression, what makes Python values of it."""
    found = []
    for place, field in enumerate(model._meta.concrete_fields):
        expression = field.cached_col
        converters = [
            *connection.ops.get_db_converters(expression),
            *field.get_db_converters(connection),  # type: ignore[attr-defined]
        ]
        if converters:
            found.append((place, expression, converters))
    return tuple(found)
