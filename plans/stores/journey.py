"""Statements that travel together: PostgreSQL gets them, and a commit behind them, in one journey.

A journey costs the one who waits for it more than the statements in it: with many threads, each
answer waits for Python's lock. And whoever holds a plan's journal meanwhile is waited for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection


class Statement(NamedTuple):
    """SQL with placeholders, and what goes into them."""

    text: str
    values: Sequence[Any]


class Outcome(NamedTuple):
    """How many rows a statement found or changed, and what it returned."""

    rows_count: int
    rows: list[Any]


COMMIT = Statement("COMMIT", ())


def run(statements: Sequence[Statement]) -> list[Outcome]:
    """Run all in their order; PostgreSQL gets them in one journey."""
    if connection.vendor == "postgresql" and len(statements) > 1:
        return _run_in_one_journey(statements)
    return [_run(statement) for statement in statements]


def run_last(statements: Sequence[Statement]) -> list[Outcome]:
    """Run the last statements of a transaction; on PostgreSQL, its commit travels with them.

    Nothing may follow them in the transaction. Its own commit then finds nothing left to do.
    """
    is_outermost = connection.in_atomic_block and not connection.savepoint_ids
    if connection.vendor != "postgresql" or not is_outermost:
        return run(statements)
    return run([*statements, COMMIT])[:-1]


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
