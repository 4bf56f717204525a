"""What the checker decides from: the database's rows and the sandbox's record of calls."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

from plans.models import Direction, Event, Plan, StageRun, Task
from plans.stores.tenant_config import StoredConfig

Call = dict[str, Any]
"""One call as `GET /control/calls` of the sandbox tells it."""
STEP_OF = {
    "read_tenant": "ob.get_tenant",
    "deliver_config": "instance.config",
    "notify_services": "instance.notify",
    "switch_route": "gateway.put_route",
    "check_health": "instance.health",
    "update_status": "ob.put_status",
}
"""By which call the outside sees a stage."""


class Fact(NamedTuple):
    """One event, without its data: there may be hundreds of thousands."""

    pk: int
    plan_id: int
    seq: int
    task_id: int | None
    tenant_id: str
    kind: str
    epoch: int | None
    from_state: str
    to_state: str


class Ask(NamedTuple):
    """For what a call was made: the parts of its idempotency key."""

    task_id: int
    stage: str
    direction: str
    attempt: int


class Page(Protocol):
    """A page that was open all the time."""

    name: str

    def differences(self) -> list[str]:
        """What a freshly loaded one shows otherwise."""


@dataclass(frozen=True)
class Evidence:
    """`crashes` is how often a process, or the database under it, was killed, frozen or cut off.

    `tenants` is the sandbox's own state by tenant id; `configs` what Redis holds, for whom that is
    known. All plans that touched the tenants belong to it, in whatever order they ran.
    """

    plans: list[Plan]
    tasks: list[Task]
    runs: list[StageRun]
    facts: list[Fact]
    calls: list[Call]
    tenants: dict[str, Any]
    crashes: int
    configs: dict[str, StoredConfig | None] = field(default_factory=dict)
    pages: Collection[Page] = ()

    @classmethod
    def gather(
        cls,
        plan_ids: Iterable[int],
        calls: list[Call],
        tenants: dict[str, Any],
        crashes: int,
        *,
        configs: dict[str, StoredConfig | None] | None = None,
        pages: Collection[Page] = (),
    ) -> Self:
        """Read the plans' rows. Nothing may be under way any more."""
        ids = sorted(plan_ids)
        plans = Plan.objects.filter(pk__in=ids).select_related("journal").order_by("pk")
        tasks = Task.objects.filter(plan__in=ids).order_by("pk")
        runs = StageRun.objects.filter(task__plan__in=ids).defer("effects", "result").order_by("pk")
        facts = Event.objects.filter(plan__in=ids).order_by("pk").values_list(*Fact._fields)
        return cls(
            list(plans),
            list(tasks),
            list(runs),
            [Fact(*row) for row in facts.iterator(5000)],
            calls,
            tenants,
            crashes,
            configs or {},
            pages,
        )

    @cached_property
    def task_of(self) -> dict[int, Task]:
        return {task.pk: task for task in self.tasks}

    @cached_property
    def tasks_of_plan(self) -> dict[int, list[Task]]:
        found: dict[int, list[Task]] = {plan.pk: [] for plan in self.plans}
        for task in self.tasks:
            found[task.plan_id].append(task)
        return found

    @cached_property
    def facts_of_task(self) -> dict[int, list[Fact]]:
        """In the order of their journal."""
        found: defaultdict[int, list[Fact]] = defaultdict(list)
        for fact in sorted(self.facts, key=lambda fact: (fact.plan_id, fact.seq)):
            if fact.task_id is not None:
                found[fact.task_id].append(fact)
        return found

    @cached_property
    def asked(self) -> dict[Ask, list[Call]]:
        """The calls of these plans' tasks, oldest first, by what each was made for."""
        found: defaultdict[Ask, list[Call]] = defaultdict(list)
        for call in self.calls:
            ask = ask_of(call)
            if ask is not None and ask.task_id in self.task_of:
                found[ask].append(call)
        return found


def ask_of(call: Call) -> Ask | None:
    """None for a call that no stage has made."""
    match (call["idempotencyKey"] or "").split("-"):
        case [task_id, stage, direction, attempt] if task_id.isdigit() and attempt.isdigit():
            return Ask(int(task_id), stage, direction, int(attempt))
    return None


def ask_for(run: StageRun) -> Ask:
    """What the calls of a stage run were made for."""
    return Ask(run.task_id, run.stage, Direction(run.direction).value, run.attempt)
