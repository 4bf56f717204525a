"""6. Each plan's events are gapless, chained, and re-play to the present state."""

from collections.abc import Iterator

from plans import audit
from plans.models import Plan
from tests.chaos.evidence import Evidence
from tests.plans.journals import assert_replay_shows_the_present

TITLE = "events are gapless, chained, and re-play to the present"


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = []
    for plan in evidence.plans:
        violations += [
            f"plan {plan}, event {broken.seq}: {broken.why.english}"
            for broken in audit.verify(plan.pk).broken
        ]
        violations += _moment(plan)
    violations += _told(evidence)
    return f"{len(evidence.facts)} events in {len(evidence.plans)} journals", violations


def _told(evidence: Evidence) -> Iterator[str]:
    """Each step begins where the one before it ended, and the last one ends at the present."""
    told: dict[tuple[str, int], str] = {}
    for fact in sorted(evidence.facts, key=lambda fact: (fact.plan_id, fact.seq)):
        if not fact.to_state:
            continue
        row = ("task", fact.task_id) if fact.task_id else ("plan", fact.plan_id)
        if fact.from_state and told.get(row) != fact.from_state:
            yield (
                f"event {fact.seq} of plan {fact.plan_id} leaves {fact.from_state}, and "
                f"{row[0]} {row[1]} was {told.get(row)}"
            )
        told[row] = fact.to_state
    present = {("plan", plan.pk): plan.state for plan in evidence.plans}
    present |= {("task", task.pk): task.state for task in evidence.tasks}
    for row, state in present.items():
        if told.get(row) != state:
            yield f"{row[0]} {row[1]} is {state}; its events say {told.get(row)}"


def _moment(plan: Plan) -> Iterator[str]:
    """The page of the replay, at its last moment, is the plan's own."""
    try:
        # Where a tenant is may have been changed by another plan: the second invariant asks that.
        assert_replay_shows_the_present(plan, whole=False)
    except AssertionError as error:
        yield f"plan {plan}: the replay's last moment is not the present: {str(error)[:300]}"
