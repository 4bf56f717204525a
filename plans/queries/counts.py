"""How many tasks are in which state: of plans, and of the waves of one plan."""

from collections.abc import Iterable
from typing import TypeAlias

from django.db.models import Count

from plans.models import Plan, Task, TaskState

Counts: TypeAlias = dict[str, int]
"""Every state of a task, and how many tasks are in it."""


def none() -> Counts:
    """No task in any state."""
    return dict.fromkeys(TaskState.values, 0)


def of_plans(plans: Iterable[Plan]) -> dict[int, Counts]:
    """Counts by plan id; one query."""
    keys = [plan.pk for plan in plans]
    rows = Task.objects.filter(plan__in=keys).values_list("plan", "state")
    counts = {key: none() for key in keys}
    for key, state, number in rows.annotate(number=Count("pk")).order_by():
        counts[key][state] = number
    return counts


def of_waves(plan: Plan) -> dict[int, Counts]:
    """Counts by wave id; a wave without tasks is not in it; one query."""
    rows = Task.objects.filter(plan=plan).values_list("wave", "state")
    counts: dict[int, Counts] = {}
    for key, state, number in rows.annotate(number=Count("pk")).order_by():
        counts.setdefault(key, none())[state] = number
    return counts
