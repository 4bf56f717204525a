"""Models, fields and expressions as they are written in SQL."""

from functools import cache, lru_cache
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.db.models.sql import Query

EXPRESSIONS_MAX = 500
"""Expressions whose text is kept; some hold a number of their own, as how long to wait."""


def quoted(name: str) -> str:
    """A name as the database wants it."""
    return connection.ops.quote_name(name)


def table_of(model: type[models.Model]) -> str:
    return quoted(model._meta.db_table)


def key_of(model: type[models.Model]) -> str:
    """The column of the primary key."""
    key = model._meta.pk
    assert key is not None
    return quoted(key.column)


def column_of(model: type[models.Model], name: str) -> str:
    """The column of the attribute `name`."""
    return quoted(field_of(model, name).column)


@cache
def field_of(model: type[models.Model], name: str) -> Any:
    """The field of the attribute `name`."""
    return next(f for f in model._meta.concrete_fields if f.attname == name)


@cache
def insertable(model: type[models.Model]) -> tuple[Any, ...]:
    """The fields that an INSERT gives."""
    return tuple(f for f in model._meta.local_concrete_fields if not f.primary_key)


@lru_cache(maxsize=EXPRESSIONS_MAX)
def compiled(model: type[models.Model], expression: Any) -> tuple[str, tuple[Any, ...]]:
    """A condition or an expression of an update as SQL with its values."""
    query = Query(model)
    compiler = query.get_compiler(connection=connection)
    if isinstance(expression, Q):
        text, params = compiler.compile(query.build_where(expression))
    else:
        text, params = compiler.compile(expression.resolve_expression(query, for_save=True))
    return text, tuple(params)
