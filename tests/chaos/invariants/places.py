"""2. The route and the status of each tenant are what its task's final state says."""

from collections.abc import Iterator

from plans.models import EventKind, Task, TaskState
from tests.chaos.evidence import Evidence

TITLE = "every tenant is where its task says"
ROUTE, STATUS, CONFIG = "switch_route", "update_status", "deliver_config"


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = []
    placed = 0
    for tenant, tasks in _latest_first(evidence).items():
        found = evidence.tenants.get(tenant)
        if found is None:
            violations.append(f"{tenant}: the sandbox does not know it")
            continue
        told = {"route": found["route"], "status": found["status"].lower()}
        for what, may in _places(tasks).items():
            placed += 1
            if told[what] not in may:
                violations.append(_says(tasks[0], what, told[what], may))
        violations += _configs(evidence, tasks[0], found)
    if not placed:
        violations.append("there was nothing to look at")
    return f"{placed} routes and statuses", violations


def _latest_first(evidence: Evidence) -> dict[str, list[Task]]:
    """The tasks by tenant; the one that worked last comes first."""
    begun = dict.fromkeys((task.pk for task in evidence.tasks), 0)
    for fact in evidence.facts:
        if fact.kind == EventKind.STAGE_STARTED and fact.task_id is not None:
            begun[fact.task_id] = fact.pk
    found: dict[str, list[Task]] = {}
    for task in sorted(evidence.tasks, key=lambda task: (begun[task.pk], task.pk), reverse=True):
        found.setdefault(task.tenant_id, []).append(task)
    return found


def _places(tasks: list[Task]) -> dict[str, set[str]]:
    """Where the tenant's route and status may be; nothing where no task has ever read them."""
    task = next((task for task in tasks if task.previous is not None), None)
    if task is None or task.previous is None:
        return {}
    return {
        "route": may_be(task, ROUTE, task.previous["route"]),
        "status": may_be(task, STATUS, task.previous["environment"]),
    }


def may_be(task: Task, stage: str, before: str) -> set[str]:
    """What a task that rests says of what `stage` drives from `before` to the target.

    Both, where the stage was begun and its end is not known.
    """
    target = task.target["environment"]
    index = [spec["name"] for spec in task.pipeline].index(stage)
    match task.state:
        case TaskState.COMPLETED:
            return {target}
        case TaskState.ROLLED_BACK:
            return {before}
        case TaskState.ROLLING_BACK | TaskState.ROLLBACK_FAILED:
            return {before, target} if index < task.cursor else {before}
    if index < task.cursor:
        return {target}
    return {before, target} if index < task.reached else {before}


def _configs(evidence: Evidence, task: Task, found: dict[str, object]) -> Iterator[str]:
    """Whoever completed has delivered: to every instance, and Redis holds that or was emptied."""
    if task.state != TaskState.COMPLETED:
        return
    instances = found["instances"]
    assert isinstance(instances, list)
    runs = {instance["color"] for instance in instances}
    if runs != {task.target["environment"]}:
        yield _says(task, "configuration at instances", str(sorted(runs)), may_be(task, CONFIG, ""))
    held = evidence.configs.get(task.tenant_id)
    if held is not None and held.color != task.target["environment"]:
        yield _says(task, "configuration in Redis", held.color, may_be(task, CONFIG, ""))


def _says(task: Task, what: str, is_now: str, may: set[str]) -> str:
    return (
        f"{task.tenant_id}: its {what} is {is_now}; task {task.pk} is {task.state} "
        f"({task.cursor} of {task.reached} stages) and says {' or '.join(sorted(may))}"
    )
