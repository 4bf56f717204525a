"""One operation for many tasks, with an answer for each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from plans.actor import Actor
from plans.errors import RefusedError
from plans.message import Message


@dataclass
class Results:
    """What became of each task: done, or skipped with the reason."""

    done: list[int] = field(default_factory=list)
    skipped: list[tuple[int, Message]] = field(default_factory=list)


def for_each(
    task_ids: Iterable[int], operation: Callable[..., Any], actor: Actor, **options: Any
) -> Results:
    """Apply a task operation to each of `task_ids`; a refusal skips one and stops nothing."""
    results = Results()
    for task_id in task_ids:
        try:
            operation(task_id, actor, **options)
        except RefusedError as refused:
            results.skipped.append((task_id, refused.message))
        else:
            results.done.append(task_id)
    return results
