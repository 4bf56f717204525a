"""Random operators, faults and deaths: what must always hold does."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.plans.machine import SwitchMachine
from tests.support.sandbox import Sandbox

ASKED = os.environ.get("MACHINE_EXAMPLES", "")
"""So many other examples than the fixed ones of every day, for a longer search."""
EXAMPLES = int(ASKED or 20)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(EXAMPLES * 20)
def test_whatever_happens_no_task_is_lost_and_every_tenant_is_where_its_task_says(
    sandbox: Sandbox,
) -> None:
    SwitchMachine.sandbox = sandbox
    run_state_machine_as_test(
        SwitchMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            derandomize=not ASKED,
            database=None,
            # Shrinking a failure takes minutes; ask for it by MACHINE_EXAMPLES.
            phases=[Phase.generate, *([Phase.shrink] if ASKED else [])],
            suppress_health_check=list(HealthCheck),
        ),
    )
