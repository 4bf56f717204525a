"""The table of a plan's tasks: filter, sort, page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from plans import conf
from plans.message import Message
from plans.models import Plan, Task
from plans.queries.condition import Condition, condition_of

SORTS = {
    "position": ("position",),
    "tenant": ("tenant_id",),
    "state": ("state", "position"),
    "stage": ("cursor", "position"),
    "finished": ("finished_at", "position"),
}


@dataclass(frozen=True)
class TaskFilter:
    """What the address says of the table; what makes no sense there is left out."""

    states: tuple[str, ...] = ()
    text: str = ""
    wave: int | None = None
    stage: str = ""
    code: str = ""
    sort: str = "position"
    descending: bool = False

    @property
    def is_on(self) -> bool:
        """Whether any task may be left out."""
        return bool(self.states or self.text or self.wave or self.stage or self.code)

    @property
    def sort_key(self) -> str:
        """The order as an address says it."""
        return f"-{self.sort}" if self.descending else self.sort

    def apply(self, plan: Plan) -> QuerySet[Task]:
        """The tasks of `plan` that match, in the order asked for."""
        tasks = Task.objects.filter(plan=plan)
        if self.states:
            tasks = tasks.filter(state__in=self.states)
        if self.text:
            named = Q(tenant__name__icontains=self.text) | Q(tenant__pk__icontains=self.text)
            tasks = tasks.filter(named)
        if self.wave:
            tasks = tasks.filter(wave__index=self.wave - 1)
        if self.stage:
            tasks = tasks.filter(failure__stage=self.stage)
        if self.code:
            tasks = tasks.filter(failure__errorCode=self.code)
        sign = "-" if self.descending else ""
        return tasks.order_by(*(f"{sign}{name}" for name in SORTS[self.sort]))


@dataclass(frozen=True)
class TaskRow:
    """One row of the table."""

    task: Task
    condition: Condition
    total: int

    @property
    def note(self) -> str:
        """What it waits for or why it failed."""
        task = self.task
        stored = task.wait_note if self.condition == Condition.WAITING else None
        stored = stored or (task.failure or {}).get("message")
        return str(Message.from_json(stored)) if stored else ""

    @cached_property
    def segments(self) -> list[str]:
        """Of every stage: `done`, `here` or `ahead`."""
        here = "here" if self.task.state in ("RUNNING", "ROLLING_BACK", "FAILED") else "ahead"
        done = ["done"] * self.task.cursor
        return (done + [here] + ["ahead"] * self.total)[: self.total]


@dataclass(frozen=True)
class TaskTable:
    """One page of the table."""

    filter: TaskFilter
    page: Page
    rows: list[TaskRow] = field(default_factory=list)

    @property
    def matching(self) -> int:
        return self.page.paginator.count


def read(plan: Plan, asked: TaskFilter, page: Any) -> TaskTable:
    """The page `page` of what matches; the nearest one if there is no such page."""
    found = Paginator(asked.apply(plan).select_related("tenant", "wave"), conf.PAGE_SIZE)
    shown = found.get_page(page)
    return TaskTable(asked, shown, rows_of(shown.object_list))


def rows_of(tasks: Iterable[Task]) -> list[TaskRow]:
    """The rows of `tasks` (with tenant and wave)."""
    return [TaskRow(task, _condition(task), len(task.pipeline)) for task in tasks]


def _condition(task: Task) -> Condition:
    return condition_of(task.state, task.admitted, task.lease_owner, task.wake_at, task.control)
