"""The one row that somebody named by its id."""

from typing import TypeVar

from django.db.models import QuerySet

from plans.errors import NotFound
from plans.message import Message
from plans.models import Plan, Task

Row = TypeVar("Row", Plan, Task)


def existing(rows: QuerySet[Row], pk: int) -> Row:
    """The one of `rows` with this id. Raises `NotFound`."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(what=Message.of(rows.model._meta.verbose_name), id=pk)
    return row


def existing_plan(plan_id: int) -> Plan:
    """The plan with its journal. Raises `NotFound`."""
    return existing(Plan.objects.select_related("journal"), plan_id)


def existing_task(task_id: int) -> Task:
    """The task with its plan, wave, tenant. Raises `NotFound`."""
    return existing(Task.objects.select_related("plan__journal", "wave", "tenant"), task_id)
