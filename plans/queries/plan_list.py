"""The list of plans: search, filter, page."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from plans.message import Message
from plans.models import UNDER_WAY_PLAN_STATES, Plan, PlanState, Task
from plans.queries.bar import Segment, segments
from plans.queries.tally import DONE

PLANS_PER_PAGE = 25


@dataclass(frozen=True)
class PlanRow:
    """A plan with its tasks counted."""

    plan: Plan
    states: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def done(self) -> int:
        return sum(self.states.get(state, 0) for state in DONE)

    @property
    def failed(self) -> int:
        return self.states.get("FAILED", 0) + self.states.get("ROLLBACK_FAILED", 0)

    @property
    def pending(self) -> int:
        return self.states.get("PENDING", 0)

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def segments(self) -> list[Segment]:
        return segments(self.states)

    @property
    def is_live(self) -> bool:
        """Whether something of it is under way."""
        return self.plan.state in UNDER_WAY_PLAN_STATES

    @property
    def halt(self) -> Message | None:
        return Message.from_json(self.plan.halt)


@dataclass(frozen=True)
class PlanList:
    """One page of the list."""

    text: str
    state: str
    page: Page
    rows: list[PlanRow]


def read(text: str, state: str, page: Any) -> PlanList:
    """The page `page` of the plans whose name, author or number match `text`."""
    plans = Plan.objects.order_by("-pk")
    if text:
        matching = Q(name__icontains=text) | Q(created_by__icontains=text)
        if text.isdecimal() and len(text) < 19:
            matching |= Q(pk=int(text))
        plans = plans.filter(matching)
    if state in PlanState.values:
        plans = plans.filter(state=state)
    shown = Paginator(plans, PLANS_PER_PAGE).get_page(page)
    return PlanList(text, state, shown, rows_of(shown.object_list))


def counts() -> list[tuple[PlanState, int]]:
    """All plans by state; one statement."""
    counted = dict(Plan.objects.order_by().values_list("state").annotate(Count("pk")))
    return [(state, counted.get(state.value, 0)) for state in PlanState]


def rows_of(plans: Iterable[Plan]) -> list[PlanRow]:
    """The rows of `plans`; one statement counts the tasks of all of them."""
    found = list(plans)
    counted = Task.objects.filter(plan__in=[plan.pk for plan in found]).order_by()
    states: dict[int, Counter[str]] = {plan.pk: Counter() for plan in found}
    for plan_id, state, count in counted.values_list("plan_id", "state").annotate(Count("pk")):
        states[plan_id][state] = count
    return [PlanRow(plan, states[plan.pk]) for plan in found]
