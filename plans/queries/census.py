"""How a plan's tasks stand, in one statement: the scheduler asks it after every task."""

from typing import NamedTuple

from plans.stores.journey import Statement, StatementResult

TASKS = "SELECT 1 FROM plans_task WHERE plan_id = %s"
STATEMENT = f"""
SELECT (SELECT COUNT(*) FROM plans_task WHERE plan_id = %s AND admitted),
       EXISTS({TASKS} AND state IN ('FAILED', 'ROLLBACK_FAILED', 'ROLLED_BACK')),
       EXISTS({TASKS} AND state IN ('RUNNING', 'ROLLING_BACK') AND NOT admitted),
       EXISTS(SELECT 1 FROM plans_stop WHERE active)
"""


class Census(NamedTuple):
    """How many tasks hold a slot; whether some (perhaps) failed; whether some wait for a slot;
    whether everything is stopped, so that nothing may be handed out.
    """

    admitted: int
    any_failed: bool
    any_waiting: bool
    is_stopped: bool


def ask(plan_id: int) -> Statement:
    """What counts the tasks of plan `plan_id`, whose row is locked."""
    return Statement(STATEMENT, [plan_id] * 3)


def answer(result: StatementResult) -> Census:
    """What it counted."""
    admitted, any_failed, any_waiting, is_stopped = result.rows[0]
    return Census(admitted, bool(any_failed), bool(any_waiting), bool(is_stopped))
