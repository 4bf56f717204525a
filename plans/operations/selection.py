"""One operation for many tasks, with an answer for each."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext_noop

from plans.actor import Actor
from plans.engine import scheduler
from plans.errors import RefusedError
from plans.message import Message

logger = logging.getLogger(__name__)

NOT_STORED = gettext_noop(
    "The database could not store it: look at the task's state, then try again."
)


@dataclass
class Results:
    """What became of each task: done, skipped with the reason, or failed with what went wrong."""

    done: list[int] = field(default_factory=list)
    skipped: list[tuple[int, Message]] = field(default_factory=list)
    failed: list[tuple[int, Message]] = field(default_factory=list)

    def add(self, other: "Results") -> None:
        """Take in what became of others."""
        self.done += other.done
        self.skipped += other.skipped
        self.failed += other.failed


def for_each(
    task_ids: Iterable[int], operation: Callable[..., Any], actor: Actor, **options: Any
) -> Results:
    """Apply a task operation to each of `task_ids`, each in its own transaction.

    A refusal skips one and stops nothing, nor does trouble with the database: what was done before
    is done, and the answer must say so. What follows for their plans follows once, at the end.
    """
    results = Results()
    with scheduler.settling_at_the_end():
        for task_id in task_ids:
            try:
                operation(task_id, actor, **options)
            except RefusedError as refused:
                results.skipped.append((task_id, refused.message))
            except DatabaseError:
                logger.exception("Task %s: what was asked for could not be stored", task_id)
                results.failed.append((task_id, Message(NOT_STORED)))
            else:
                results.done.append(task_id)
    return results
