"""Which versions of a configuration finished stage runs say they wrote.

Every switch asks, so the statement is kept as text: Django's query compiler takes several times
longer to write it than the database to run it.
"""

from django.db import connection

from plans.models import Direction
from plans.stores import journey
from plans.stores.journey import Statement
from plans.stores.versioned import DIGITS_MAX

CHOSEN = "chosen"
"""The field of a stage's result that says which version its task delivers."""
PUT_BACK = "version"
"""The field of an undone stage's result that says under which version it wrote."""
SAID_BY = {Direction.FORWARD: CHOSEN, Direction.ROLLBACK: PUT_BACK}
RUNS_READ = 100
"""So many of the latest stage runs are looked at: what a tenant's last plans wrote."""

FIELD = {"postgresql": "run.result ->> '{}'", "sqlite": "JSON_EXTRACT(run.result, '$.{}')"}
STATEMENT = """
SELECT CASE run.direction WHEN 'forward' THEN {forward} ELSE {rollback} END
FROM plans_stagerun run JOIN plans_task task ON task.id = run.task_id
WHERE {whose} = %s AND run.state = 'COMPLETED' ORDER BY run.id DESC LIMIT %s
"""


def highest_of_tenant(tenant_id: str) -> int:
    """The highest version that tasks of the tenant wrote, 0 for none."""
    return _highest("task.tenant_id", tenant_id)


def highest_of_task(task_id: int) -> int:
    """The highest version that the task wrote, 0 for none."""
    return _highest("task.id", task_id)


def _highest(whose: str, key: str | int) -> int:
    said = {way.value: FIELD[connection.vendor].format(name) for way, name in SAID_BY.items()}
    text = STATEMENT.format(whose=whose, **said)
    [found] = journey.run([Statement(text, [key, RUNS_READ])])
    numbers = [str(version) for (version,) in found.rows]
    return max((int(each) for each in numbers if _is_version(each)), default=0)


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
