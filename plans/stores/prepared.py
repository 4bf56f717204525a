"""Statements of one fixed shape, whose text is made once.

A stage's end is six statements. Django's query compiler takes several times longer to write each
than the database to run it, so the ones that every stage needs are kept as text here. Values go
through the fields, as in the ORM. For everything else use the ORM.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models
from django.db.models import Q
from django.db.models.sql import Query

Row = TypeVar("Row", bound=models.Model)

VALUES_MAX = 50
"""Values of one statement; psycopg reads the text of longer ones anew each time."""


EXPRESSIONS_MAX = 500
"""Expressions whose text is kept; some hold a number of their own, as how long to wait."""


class Statement(NamedTuple):
    """SQL with placeholders, and what goes into them."""

    text: str
    values: Sequence[Any]


class Outcome(NamedTuple):
    """How many rows a statement found or changed, and what it returned."""

    rows_count: int
    rows: list[Any]


def run(statements: Sequence[Statement]) -> list[Outcome]:
    """Run all in their order; PostgreSQL gets them in one journey."""
    if connection.vendor == "postgresql" and len(statements) > 1:
        return _run_in_one_journey(statements)
    return [_run(statement) for statement in statements]


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


def fetch(model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
    """The row `key` as an instance, or None; with `lock`, locked (without its key)."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    found = _run(Statement(_select_text(model, names, lock), [key])).rows
    if not found:
        return None
    converted = list(found[0])
    for place, expression, converters in _converters(model):
        for convert in converters:
            converted[place] = convert(converted[place], expression, connection)
    return model.from_db(connection.alias, names, converted)


def _insert(
    model: type[models.Model], fields: tuple[Any, ...], rows: Sequence[models.Model]
) -> Statement:
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    return Statement(_insert_text(model, len(rows)), values)


def _run(statement: Statement) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return Outcome(cursor.rowcount, cursor.fetchall() if cursor.description else [])


def _run_in_one_journey(statements: Sequence[Statement]) -> list[Outcome]:
    cursors = [connection.cursor() for _ in statements]
    with _pipeline():
        for cursor, statement in zip(cursors, statements, strict=True):
            cursor.execute(*statement)
    outcomes = []
    for cursor in cursors:
        with cursor:
            outcomes.append(
                Outcome(cursor.rowcount, cursor.fetchall() if cursor.description else [])
            )
    return outcomes


@contextmanager
def _pipeline() -> Iterator[None]:
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


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
