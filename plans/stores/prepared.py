"""Statements of one fixed shape, whose text is made once.

A stage's end is six statements. Django's query compiler takes several times longer to write each
than the database to run it, so the ones that every stage needs are kept as text here. Values go
through the fields, as in the ORM. For everything else use the ORM.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def insert(rows: Sequence[models.Model]) -> None:
    """Insert a few new rows of one model, which get their keys; no signals, no `pre_save`."""
    model = type(rows[0])
    fields = _insertable(model)
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(_insert_text(model, len(rows)), values)
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding = False


def update(
    model: type[models.Model],
    key: Any,
    changes: Mapping[str, Any],
    guard: Mapping[str, Any],
    *,
    increment: str = "",
) -> int:
    """`UPDATE … SET changes, increment = increment + 1 WHERE id = key AND guard`: rows changed.

    `changes` and `guard` are plain values by attribute name, no expressions.
    """
    text = _update_text(model, tuple(changes), tuple(guard), increment)
    named = [*changes.items(), *guard.items()]
    values = [_field(model, name).get_db_prep_save(value, connection) for name, value in named]
    with connection.cursor() as cursor:
        cursor.execute(text, [*values, key])
        return int(cursor.rowcount)


def fetch(model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
    """The row `key` as an instance, or None; with `lock`, locked (without its key)."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(_select_text(model, names, lock), [key])
        values = cursor.fetchone()
    if values is None:
        return None
    converted = list(values)
    for place, expression, converters in _converters(model):
        for convert in converters:
            converted[place] = convert(converted[place], expression, connection)
    return model.from_db(connection.alias, names, converted)


def locked(model: type[models.Model], key: Any, names: tuple[str, ...]) -> Any:
    """The values of `names` of the row `key`, locked (without its key) until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(_select_text(model, names, True), [key])
        return cursor.fetchone()


@cache
def _insertable(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(f for f in model._meta.local_concrete_fields if not f.primary_key)


@cache
def _field(model: type[models.Model], name: str) -> Any:
    return next(f for f in model._meta.concrete_fields if f.attname == name)


@cache
def _insert_text(model: type[models.Model], count: int) -> str:
    columns = [_quoted(field.column) for field in _insertable(model)]
    row = f"({', '.join(['%s'] * len(columns))})"
    return (
        f"INSERT INTO {_quoted(model._meta.db_table)} ({', '.join(columns)}) "
        f"VALUES {', '.join([row] * count)} RETURNING {_quoted(_key_column(model))}"
    )


@cache
def _update_text(
    model: type[models.Model], changes: tuple[str, ...], guard: tuple[str, ...], increment: str
) -> str:
    sets = [f"{_column(model, name)} = %s" for name in changes]
    if increment:
        column = _column(model, increment)
        sets.append(f"{column} = {column} + 1")
    conditions = [f"{_column(model, name)} = %s" for name in guard]
    conditions.append(f"{_quoted(_key_column(model))} = %s")
    return (
        f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(sets)} "
        f"WHERE {' AND '.join(conditions)}"
    )


@cache
def _select_text(model: type[models.Model], names: tuple[str, ...], lock: bool) -> str:
    columns = ", ".join(_column(model, name) for name in names)
    locking = lock and connection.features.has_select_for_update
    return (
        f"SELECT {columns} FROM {_quoted(model._meta.db_table)} "
        f"WHERE {_quoted(_key_column(model))} = %s{' FOR NO KEY UPDATE' if locking else ''}"
    )


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


def _column(model: type[models.Model], name: str) -> str:
    return _quoted(_field(model, name).column)


def _key_column(model: type[models.Model]) -> str:
    key = model._meta.pk
    assert key is not None
    return str(key.column)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
