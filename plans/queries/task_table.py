"""The table of a plan's tasks: filter, sort, page."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from plans import conf
from plans.message import Message
from plans.models import Plan, Task
from plans.queries import task_lines
from plans.queries.axis import Axis
from plans.queries.condition import Condition, condition_of
from plans.queries.funnel import stage_index, standing_at
from plans.queries.task_lines import TaskLine

SORTS = {
    "position": (F("position"),),
    "tenant": (F("tenant_id"),),
    "state": (F("state"), F("position")),
    "stage": (F("cursor"), F("position")),
    "since": (Coalesce("finished_at", "started_at"), F("position")),
    "finished": (F("finished_at"), F("position")),
}
COLUMNS = (
    ("tenant", _("Tenant")),
    ("state", _("State")),
    ("stage", _("Stage")),
    ("position", _("Wave")),
    ("since", _("Started or ended")),
    ("", _("Note")),
)
"""What the columns are sorted by, and their headings."""
PAGE_SIZES = (conf.PAGE_SIZE, 200, conf.PAGE_SIZE_MAX)
"""How many tasks a page of the table may show."""
VIEWS = {"list": _("List"), "timeline": _("Timeline")}
"""The table's two faces: what each task is about, or when each of its stages ran."""


@dataclass(frozen=True)
class TaskFilter:
    """What the address says of the table; what makes no sense there is left out."""

    states: tuple[str, ...] = ()
    text: str = ""
    wave: int | None = None
    stage: str = ""
    code: str = ""
    at: str = ""
    sort: str = "position"
    descending: bool = False
    size: int = conf.PAGE_SIZE
    view: str = "list"

    @property
    def is_on(self) -> bool:
        """Whether any task may be left out."""
        named = self.states or self.text or self.wave or self.stage or self.code or self.at
        return bool(named)

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
        if self.at:
            tasks = tasks.filter(standing_at(plan, self.at))
        fields = SORTS[self.sort]
        # What has not begun or ended comes last, whichever database sorts.
        if self.descending:
            return tasks.order_by(*(field.desc(nulls_last=True) for field in fields))
        return tasks.order_by(*(field.asc(nulls_last=True) for field in fields))


@dataclass(frozen=True)
class TaskRow:
    """One row of the table; `line` is what the timeline draws of it."""

    task: Task
    condition: Condition
    total: int
    line: TaskLine | None = None

    @property
    def note(self) -> str:
        """What it waits for or why it failed."""
        task = self.task
        stored = task.wait_note if self.condition == Condition.WAITING else None
        stored = stored or (task.failure or {}).get("message")
        return str(Message.from_json(stored)) if stored else ""

    @property
    def stage(self) -> str:
        """The stage at which it stands, as the funnel counts it; empty where it stands at none."""
        index = stage_index(self.task.state, self.task.cursor)
        if index is None or not 0 <= index < self.total:
            return ""
        return str(self.task.pipeline[index]["name"])

    @cached_property
    def segments(self) -> list[str]:
        """Of every stage: `done`, `here` or `ahead`."""
        here = "here" if self.task.state in ("RUNNING", "ROLLING_BACK", "FAILED") else "ahead"
        done = ["done"] * self.task.cursor
        return (done + [here] + ["ahead"] * self.total)[: self.total]


@dataclass(frozen=True)
class Column:
    """A heading. `sort`: the order that it leads to; empty where the column cannot be sorted."""

    key: str
    label: str
    sort: str
    direction: str


@dataclass(frozen=True)
class TaskTable:
    """One page of the table; `axis` is that of the timeline."""

    filter: TaskFilter
    page: Page
    rows: list[TaskRow] = field(default_factory=list)
    axis: Axis | None = None

    @property
    def matching(self) -> int:
        return self.page.paginator.count

    @property
    def is_as_new(self) -> bool:
        """Whether rows may be put in place one by one: nothing is filtered, sorted or paged."""
        asked = self.filter
        return not (asked.is_on or asked.sort_key != "position" or asked.view != "list") and (
            self.page.number == 1
        )

    @property
    def columns(self) -> list[Column]:
        """The headings; a second click on the one that sorts turns the order round."""
        return [self._column(key, str(label)) for key, label in COLUMNS]

    def _column(self, key: str, label: str) -> Column:
        if not key or key != self.filter.sort:
            return Column(key, label, key, "")
        if self.filter.descending:
            return Column(key, label, key, "descending")
        return Column(key, label, f"-{key}", "ascending")


def read(plan: Plan, asked: TaskFilter, page: Any) -> TaskTable:
    """The page `page` of what matches; the nearest one if there is no such page."""
    found = Paginator(asked.apply(plan).select_related("tenant", "wave"), asked.size)
    shown = found.get_page(page)
    if asked.view != "timeline":
        return TaskTable(asked, shown, rows_of(shown.object_list))
    tasks = list(shown.object_list)
    drawn = task_lines.of_tasks(tasks)
    rows = [replace(row, line=drawn.lines[row.task.pk]) for row in rows_of(tasks)]
    return TaskTable(asked, shown, rows, drawn.axis)


def rows_of(tasks: Iterable[Task]) -> list[TaskRow]:
    """The rows of `tasks` (with tenant and wave)."""
    return [TaskRow(task, _condition(task), len(task.pipeline)) for task in tasks]


def _condition(task: Task) -> Condition:
    return condition_of(task.state, task.admitted, task.lease_owner, task.wake_at, task.control)
