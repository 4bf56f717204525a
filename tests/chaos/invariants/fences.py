"""3. Who was replaced changes nothing in our stores; who was not is refused nowhere."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.evidence import Call, Evidence

TITLE = "what a replaced worker still does changes nothing"
FENCED = 409
"""With this status the sandbox refuses an older fence, and nothing else."""


def look(evidence: Evidence) -> tuple[str, list[str]]:
    late = list(_late(evidence.calls))
    refused = sum(call["status"] == FENCED for call in evidence.calls)
    violations = [*_stored(evidence), *_refused_alive(evidence), *_older_than_others(evidence)]
    return f"{len(evidence.facts)} events, {len(late)} late calls, {refused} refused", violations


def _late(calls: list[Call]) -> Iterator[Call]:
    """Those with a lower fence after one with a higher fence for the same tenant."""
    highest: dict[str, int] = {}
    for call in calls:
        fence, tenant = call["fence"], call["tenant"]
        if fence is None:
            continue
        if fence < highest.get(tenant, fence):
            yield call
        highest[tenant] = max(fence, highest.get(tenant, fence))


def _stored(evidence: Evidence) -> Iterator[str]:
    """Events of a task with an epoch, and its stage runs, never go back to a lower one."""
    for facts in evidence.facts_of_task.values():
        highest = 0
        for fact in facts:
            if fact.epoch is not None and fact.epoch < highest:
                yield (
                    f"event {fact.seq} of plan {fact.plan_id} ({fact.kind}, {fact.tenant_id}) is "
                    f"of epoch {fact.epoch}, after one of epoch {highest}"
                )
            highest = max(highest, fact.epoch or 0)
    begun: defaultdict[int, int] = defaultdict(int)
    for run in evidence.runs:
        if run.epoch < begun[run.task_id]:
            yield f"stage run {run} began in epoch {run.epoch}, after one of {begun[run.task_id]}"
        begun[run.task_id] = run.epoch


def _refused_alive(evidence: Evidence) -> Iterator[str]:
    """Only a live runner can store how its stage failed, and no live one is refused."""
    for run in evidence.runs:
        failure = run.failure or {}
        values = failure.get("message", {}).get("values", {})
        if values.get("status") == FENCED and failure["errorCode"].endswith("_REJECTED"):
            yield f"the live runner of {run} (epoch {run.epoch}) was refused for its fence"


def _older_than_others(evidence: Evidence) -> Iterator[str]:
    """A tenant's tasks that worked one after another have never a lower epoch than before."""
    highest: defaultdict[str, int] = defaultdict(int)
    latest: dict[str, int | None] = {}
    for fact in evidence.facts:
        if fact.epoch is None:
            continue
        tenant = fact.tenant_id
        if latest.get(tenant, fact.task_id) != fact.task_id and fact.epoch <= highest[tenant]:
            yield (
                f"{tenant}: task {fact.task_id} works in epoch {fact.epoch}, and task "
                f"{latest[tenant]} had {highest[tenant]} before"
            )
        highest[tenant] = max(highest[tenant], fact.epoch)
        latest[tenant] = fact.task_id
