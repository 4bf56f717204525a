"""Statements of one fixed shape, whose text is made once.

A stage's end is six statements. Django's query compiler takes several times longer to write each
than the database to run it, so the ones that every stage needs are kept as text here. Values go
through the fields, as in the ORM. For everything else use the ORM.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Q
from django.db.models.sql import Query

from plans.stores import journey
from plans.stores.journey import Outcome, Statement

Row = TypeVar("Row", bound=models.Model)

VALUES_MAX = 50
"""Values of one statement; psycopg reads the text of longer ones anew each time."""


EXPRESSIONS_MAX = 500
"""Expressions whose text is kept; some hold a number of their own, as how long to wait."""


def insert(rows: Sequence[models.Model]) -> list[Statement]:
    """Insert new rows of one model, some by each statement; without `pre_save`.

    `give_keys` takes what they return.
    """
    if not rows:
        return []
    model = type(rows[0])
    fields = _insertable(model)
    at_once = max(1, VALUES_MAX // len(fields))
    return [
        _insert(model, fields, rows[start : start + at_once])
        for start in range(0, len(rows), at_once)
    ]


def give_keys(rows: Sequence[models.Model], outcomes: Iterable[Outcome]) -> None:
    """Tell rows that were inserted their keys, which nothing else among `outcomes` returned."""
    keys = (key for outcome in outcomes for (key,) in outcome.rows)
    for row, key in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding = False


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
            text, params = _compiled(model, value)
            sets.append((name, text))
            values.extend(params)
        else:
            sets.append((name, "%s"))
            values.append(_field(model, name).get_db_prep_save(value, connection))
    for name, value in guard.items():
        values.append(_field(model, name).get_db_prep_save(value, connection))
    condition, params = _compiled(model, where) if where else ("", ())
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
        _field(model, name).get_db_prep_save(value, connection) for name, value in where.items()
    ]
    if limit is not None:
        values.append(limit)
    names = tuple(field.attname for field in model._meta.concrete_fields)
    return Statement(
        _select_text(model, names, lock, tuple(where), order, limit is not None), values
    )


def rows_of(model: type[Row], outcome: Outcome) -> list[Row]:
    """What `select` found, as instances."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    rows = []
    for found in outcome.rows:
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


def _insert(
    model: type[models.Model], fields: tuple[Any, ...], rows: Sequence[models.Model]
) -> Statement:
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    return Statement(_insert_text(model, len(rows)), values)


@lru_cache(maxsize=EXPRESSIONS_MAX)
def _compiled(model: type[models.Model], expression: Any) -> tuple[str, tuple[Any, ...]]:
    """A condition or an expression of an update as SQL with its values."""
    query = Query(model)
    compiler = query.get_compiler(connection=connection)
    if isinstance(expression, Q):
        text, params = compiler.compile(query.build_where(expression))
    else:
        text, params = compiler.compile(expression.resolve_expression(query, for_save=True))
    return text, tuple(params)


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
    model: type[models.Model],
    changes: tuple[tuple[str, str], ...],
    guard: tuple[str, ...],
    where: str,
    increment: str,
) -> str:
    sets = [f"{_column(model, name)} = {text}" for name, text in changes]
    if increment:
        column = _column(model, increment)
        sets.append(f"{column} = {column} + 1")
    conditions = [f"{_column(model, name)} = %s" for name in guard]
    if where:
        conditions.append(f"({where})")
    conditions.append(f"{_quoted(_key_column(model))} = %s")
    return (
        f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(sets)} "
        f"WHERE {' AND '.join(conditions)}"
    )


@cache
def _select_text(
    model: type[models.Model],
    names: tuple[str, ...],
    lock: bool,
    where: tuple[str, ...] = ("id",),
    order: str = "",
    is_limited: bool = False,
) -> str:
    columns = ", ".join(_column(model, name) for name in names)
    conditions = " AND ".join(f"{_column(model, name)} = %s" for name in where)
    text = f"SELECT {columns} FROM {_quoted(model._meta.db_table)} WHERE {conditions}"
    if order:
        text += f" ORDER BY {_column(model, order)}"
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


def _column(model: type[models.Model], name: str) -> str:
    return _quoted(_field(model, name).column)


def _key_column(model: type[models.Model]) -> str:
    key = model._meta.pk
    assert key is not None
    return str(key.column)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
