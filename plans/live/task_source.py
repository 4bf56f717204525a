"""What changes on a task's page."""

from collections.abc import Iterable

from django.db.models import Q

from plans import conf
from plans.live.source import Changed, Source
from plans.models import Event, Task
from plans.rendering import regions
from plans.rendering.cursors import plan_cursor
from plans.rendering.regions import Region
from plans.stores import doorbell


class TaskSource(Source):
    """One task; the cursor is the last seq of its plan's journal."""

    def __init__(self, task: Task, language: str) -> None:
        super().__init__(language)
        self._task = task
        self._seq = 0
        self.group = doorbell.group_of(task.plan_id)

    def __str__(self) -> str:
        return f"task {self._task.pk}"

    def look(self) -> str:
        cursor = plan_cursor(self._task.plan)
        self._seq = int(cursor)
        return cursor

    def age_order(self, cursor: str) -> int:
        return int(cursor)

    def changed_since(self, cursor: str) -> Changed:
        return Changed(events=self._newest(int(cursor)))

    def everything(self) -> Changed:
        return super().everything() | Changed(events=self._newest(-1))

    def regions(self) -> Iterable[Region]:
        self._task = Task.objects.select_related("plan__journal").get(pk=self._task.pk)
        return [*regions.task_regions(self._task), regions.stop_banner()]

    def _newest(self, since: int) -> list[Event]:
        events = Event.objects.filter(
            Q(task=self._task),
            journal_id=self._task.plan.journal_id,
            seq__gt=since,
            seq__lte=self._seq,
        )
        return list(events.order_by("-seq")[: conf.FEED_EVENTS])
