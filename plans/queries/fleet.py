"""The fleet in numbers that are filters: where its tenants are, and what happens to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self
from urllib.parse import urlencode

from django.db.models import Count

from plans.models import Environment, TaskState
from plans.queries.wall import WallRow, fleet_tenants, latest_tasks

TEXT_MAX_CHARS = 100
HAPPENING = (
    TaskState.PENDING,
    TaskState.RUNNING,
    TaskState.PAUSED,
    TaskState.FAILED,
    TaskState.ROLLING_BACK,
    TaskState.ROLLED_BACK,
    TaskState.ROLLBACK_FAILED,
)
"""The states that are counted: completed and cancelled ones are simply where they are."""


@dataclass(frozen=True)
class FleetFilter:
    """Which tenants the wall shows; what is empty leaves none out."""

    environment: str = ""
    state: str = ""
    q: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """The filter that an address names; nonsense is left out."""
        environment, state = asked.get("environment", ""), asked.get("state", "").upper()
        return cls(
            environment if environment in Environment.values else "",
            state if state in TaskState.values else "",
            asked.get("q", "").replace("\x00", "").strip()[:TEXT_MAX_CHARS],
        )

    @property
    def is_on(self) -> bool:
        return self != type(self)()

    @property
    def address(self) -> str:
        """The overview with this filter."""
        named = {name: value for name, value in asdict(self).items() if value}
        return f"/?{urlencode(named)}" if named else "/"

    def takes(self, row: WallRow) -> bool:
        """Whether the wall shows `row`."""
        if self.environment and row.environment != self.environment:
            return False
        if self.state and row.state != self.state:
            return False
        text = self.q.casefold()
        return not text or text in row.tenant_id.casefold() or text in row.name.casefold()


@dataclass(frozen=True)
class Figure:
    """How many tenants a filter would show if `value` were chosen; `is_on`: it is."""

    value: str
    label: str
    count: int
    address: str
    is_on: bool


@dataclass(frozen=True)
class Fleet:
    """The figures of the fleet: by environment, and by what the tenants' latest tasks are about.

    `shown` of `total` tenants are on the wall.
    """

    filter: FleetFilter
    environments: Sequence[Figure]
    states: Sequence[Figure]
    shown: int
    total: int


def whole() -> Fleet:
    """The fleet without a filter: two statements whatever its size."""
    places = fleet_tenants().order_by().values_list("environment").annotate(Count("pk"))
    tasks = latest_tasks(fleet_tenants()).order_by().values_list("state")
    by_place, by_state = Counter(dict(places)), Counter(dict(tasks.annotate(Count("pk"))))
    total = by_place.total()
    return _fleet(FleetFilter(), by_place, by_state, total, total)


def filtered(rows: Sequence[WallRow], chosen: FleetFilter) -> Fleet:
    """The figures of `rows`, which are the whole fleet: each as if it were chosen beside the rest
    of the filter. Runs no statement.
    """
    by_place = Counter(row.environment for row in _taken(rows, replace(chosen, environment="")))
    by_state = Counter(row.state for row in _taken(rows, replace(chosen, state="")))
    shown = sum(1 for _ in _taken(rows, chosen))
    return _fleet(chosen, by_place, by_state, shown, len(rows))


def _taken(rows: Iterable[WallRow], chosen: FleetFilter) -> Iterable[WallRow]:
    return filter(chosen.takes, rows)


def _fleet(
    chosen: FleetFilter, places: Counter[str], states: Counter[str], shown: int, total: int
) -> Fleet:
    environments = [
        _figure(chosen, "environment", place.value, str(place.label), places[place.value])
        for place in Environment
    ]
    figures = [
        _figure(chosen, "state", state.value, str(state.label), states[state.value])
        for state in HAPPENING
    ]
    return Fleet(chosen, environments, figures, shown, total)


def _figure(chosen: FleetFilter, kind: str, value: str, label: str, count: int) -> Figure:
    is_on = getattr(chosen, kind) == value
    # Chosen again, a figure lets the others in again.
    address = replace(chosen, **{kind: "" if is_on else value}).address
    return Figure(value, label, count, address, is_on)
