"""Figure: so many kills in the middle of one plan, with nothing lost; and how soon others go on."""

import random
import time

from plans import operations
from plans.models import Plan, PlanState, Task, TaskState
from tests.chaos.diary import Diary
from tests.chaos.installation import Installation
from tests.support.driving import OPERATOR, make_plan

CONCURRENCY = 24
KILLS = 200
PAUSE_SECONDS = 0.2
VICTIMS = ("worker",) * 12 + ("conductor",) * 5 + ("renewals",) * 2 + ("web",)


def measure(site: Installation, diary: Diary, chance: random.Random, kills: int) -> list[str]:
    """Kill somebody again and again; where the plan is over before so many kills, it goes back.

    Lines: what became of each plan.
    """
    targets = ("green", "blue")
    lines: list[str] = []
    done = 0
    while done < kills:
        plan = start(site.scale.tenants, targets[len(lines) % 2])
        began = time.monotonic()
        while is_under_way(plan) and done < kills:
            member = chance.choice(site.of_kind(chance.choice(VICTIMS)))
            diary.crash()
            if member.kind == "worker":
                diary.lost(member.process.pid)
            member.process.kill()
            site.start_again(member)
            diary.fault(f"kill a {member.kind}")
            done += 1
            time.sleep(PAUSE_SECONDS)
        while is_under_way(plan):
            time.sleep(0.2)
        tasks = Task.objects.filter(plan=plan)
        lines.append(
            f"plan {plan.pk} is {Plan.objects.get(pk=plan.pk).state} after "
            f"{time.monotonic() - began:.0f} s and {done} kills in all: "
            f"{tasks.filter(state=TaskState.COMPLETED).count()} of {tasks.count()} completed"
        )
        diary.tell(lines[-1])
    return lines


def start(tenants: int, target: str) -> Plan:
    """A plan over the first so many tenants, on its way."""
    fleet = [f"tenant-{number:03}" for number in range(1, tenants + 1)]
    plan = make_plan(
        fleet,
        target=target,
        max_concurrency=CONCURRENCY,
        failure_policy="continue",
        failure_budget=tenants,
    )
    operations.start_plan(plan.pk, OPERATOR)
    return plan


def is_under_way(plan: Plan) -> bool:
    state = Plan.objects.values_list("state", flat=True).get(pk=plan.pk)
    return state in (PlanState.RUNNING, PlanState.CREATED)
