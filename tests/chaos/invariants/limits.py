"""5. Never two unfinished tasks of one tenant, never more than `maxConcurrency` in flight."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from plans.models import ACTIVE_STATES, UNFINISHED_STATES, EventKind, Plan, WaveMode
from tests.chaos.evidence import Evidence, Fact

TITLE = "one unfinished task a tenant, and no more in flight than may be"
HOLDS_A_SLOT = {EventKind.TASK_STARTED, EventKind.STAGE_STARTED, EventKind.TASK_TAKEN_OVER}
"""After these a task has a slot, until it is in no active state any more."""


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = [*_two_at_once(evidence)]
    most = 0
    for plan in evidence.plans:
        at_once, found = _in_flight(evidence, plan)
        most = max(most, at_once)
        violations += found
    return f"at most {most} in flight", violations


def _two_at_once(evidence: Evidence) -> Iterator[str]:
    """Over the whole history: an event's key grows from a tenant's one task to its next."""
    unfinished: defaultdict[str, set[int]] = defaultdict(set)
    for fact in sorted(evidence.facts, key=lambda fact: fact.pk):
        if fact.task_id is None or not fact.to_state:
            continue
        held = unfinished[fact.tenant_id]
        if fact.to_state in UNFINISHED_STATES:
            held.add(fact.task_id)
        else:
            held.discard(fact.task_id)
        if len(held) > 1:
            yield f"{fact.tenant_id} is in unfinished tasks {sorted(held)} at event {fact.pk}"
    now = Counter(task.tenant_id for task in evidence.tasks if task.state in UNFINISHED_STATES)
    for tenant, tasks in now.items():
        if tasks > 1:
            yield f"{tenant} is in {tasks} unfinished tasks now"


def _in_flight(evidence: Evidence, plan: Plan) -> tuple[int, list[str]]:
    """How many tasks of a plan had begun something and not ended, by its journal's order."""
    limit = {wave.pk: 1 for wave in plan.waves.all() if wave.mode == WaveMode.FIFO}
    flying: set[int] = set()
    most, violations = 0, []
    for fact in _of_tasks(evidence, plan):
        assert fact.task_id is not None
        if fact.kind in HOLDS_A_SLOT:
            flying.add(fact.task_id)
        elif fact.to_state and fact.to_state not in ACTIVE_STATES:
            flying.discard(fact.task_id)
        elif fact.from_state and fact.to_state:
            # It goes on or back: first it must be given a slot again.
            flying.discard(fact.task_id)
        if len(flying) > max(most, plan.max_concurrency):
            violations.append(
                f"plan {plan}: {len(flying)} in flight at event {fact.seq}, "
                f"{plan.max_concurrency} may be"
            )
        most = max(most, len(flying))
        waves = Counter(evidence.task_of[task].wave_id for task in flying)
        violations += [
            f"plan {plan}: {waves[wave]} in flight at event {fact.seq} in a wave that is FIFO"
            for wave in limit
            if waves[wave] > 1
        ]
    return most, violations


def _of_tasks(evidence: Evidence, plan: Plan) -> list[Fact]:
    facts = (f for f in evidence.facts if f.plan_id == plan.pk and f.task_id is not None)
    return sorted(facts, key=lambda fact: fact.seq)
