"""Statements that travel together: PostgreSQL gets them, and a commit behind them, in one journey.

A journey costs the one who waits for it more than the statements in it: with many threads, each
answer waits for Python's lock. And whoever holds a plan's journal meanwhile is waited for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection


class Statement(NamedTuple):
    """SQL with placeholders, and what goes into them."""

    text: str
    values: Sequence[Any]


class StatementResult(NamedTuple):
    """How many rows a statement found or changed, and what it returned."""

    rows_count: int
    rows: list[Any]


COMMIT = Statement("COMMIT", ())
FUSED_MAX = 500
"""Texts of fused statements that are kept."""


def run(statements: Sequence[Statement]) -> list[StatementResult]:
    """Run all in their order; PostgreSQL gets them in one journey."""
    if connection.vendor == "postgresql" and len(statements) > 1:
        return _run_in_one_journey(statements)
    return [_run(statement) for statement in statements]


def run_groups(*groups: Sequence[Statement]) -> list[list[StatementResult]]:
    """Run all in their order, and give the results of each group by themselves.

    The statements of one group change different rows and return a key at most: PostgreSQL gets
    them as one statement.
    """
    if connection.vendor != "postgresql":
        return [run(group) for group in groups]
    fused = [_fused(group) if len(group) > 1 else group for group in groups]
    results = iter(run([statement for group in fused for statement in group]))
    return [
        _unfused(next(results)) if len(group) > 1 else list(islice(results, len(group)))
        for group in groups
    ]


def run_last(group: Sequence[Statement]) -> list[StatementResult]:
    """Run the last statements of a transaction, a group; on PostgreSQL, its commit goes along.

    Nothing may follow them in the transaction. Its own commit then finds nothing left to do.
    """
    is_outermost = connection.in_atomic_block and not connection.savepoint_ids
    ends_here = connection.vendor == "postgresql" and is_outermost
    return run_groups(group, [COMMIT] if ends_here else [])[0]


def _fused(group: Sequence[Statement]) -> list[Statement]:
    texts = tuple(statement.text for statement in group)
    return [Statement(_fused_text(texts), [v for statement in group for v in statement.values])]


def _unfused(result: StatementResult) -> list[StatementResult]:
    [keys_of_parts] = result.rows
    return [StatementResult(len(keys), [(key,) for key in keys]) for keys in keys_of_parts]


@lru_cache(maxsize=FUSED_MAX)
def _fused_text(texts: tuple[str, ...]) -> str:
    # They are run as they are read, which is in their order.
    parts = ", ".join(
        f"part{number}(key) AS ({text if ' RETURNING ' in text else f'{text} RETURNING 1'})"
        for number, text in enumerate(texts)
    )
    read = ", ".join(f"ARRAY(SELECT key FROM part{number})" for number in range(len(texts)))
    return f"WITH {parts} SELECT {read}"


def _run(statement: Statement) -> StatementResult:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return StatementResult(cursor.rowcount, cursor.fetchall() if cursor.description else [])


def _run_in_one_journey(statements: Sequence[Statement]) -> list[StatementResult]:
    cursors = [connection.cursor() for _ in statements]
    with _pipeline():
        for cursor, statement in zip(cursors, statements, strict=True):
            cursor.execute(*statement)
    results = []
    for cursor in cursors:
        with cursor:
            results.append(
                StatementResult(cursor.rowcount, cursor.fetchall() if cursor.description else [])
            )
    return results


@contextmanager
def _pipeline() -> Iterator[None]:
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
