"""How many tasks of a plan are where: one query for the bar, the waves and the stages."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from plans.models import Plan, Task, TaskState

DONE = (TaskState.COMPLETED, TaskState.ROLLED_BACK, TaskState.CANCELLED)
"""States in which nothing more is expected of a task."""


@dataclass(frozen=True)
class TallyRow:
    """`count` tasks that agree in all the rest."""

    wave_id: int
    state: str
    cursor: int
    reached: int
    admitted: bool
    count: int


@dataclass(frozen=True)
class Tally:
    """The tasks of one plan, counted."""

    rows: list[TallyRow]

    @classmethod
    def of(cls, plan: Plan) -> "Tally":
        """Count now; one statement whatever the plan's size."""
        fields = ("wave_id", "state", "cursor", "reached", "admitted")
        counted = Task.objects.filter(plan=plan).order_by().values_list(*fields)
        return cls([TallyRow(*row) for row in counted.annotate(Count("pk"))])

    @property
    def total(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def by_state(self) -> Counter[str]:
        """Tasks by state."""
        found: Counter[str] = Counter()
        for row in self.rows:
            found[row.state] += row.count
        return found

    @property
    def by_wave(self) -> dict[int, Counter[str]]:
        """Tasks by state, by the wave's primary key."""
        found: dict[int, Counter[str]] = {}
        for row in self.rows:
            found.setdefault(row.wave_id, Counter())[row.state] += row.count
        return found

    @property
    def admitted(self) -> int:
        """Tasks that hold a slot."""
        return sum(row.count for row in self.rows if row.admitted)

    @property
    def changed(self) -> int:
        """Tasks that have begun to change their tenant and were not rolled back."""
        return sum(row.count for row in self.rows if row.reached)

    def count(self, *states: str) -> int:
        """How many tasks are in one of `states`."""
        return sum(row.count for row in self.rows if row.state in states)
