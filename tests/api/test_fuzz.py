"""Thousands of calls that the API's document allows, and that it forbids (schemathesis).

`make fuzz` makes more of them, from another seed each time.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plans import audit, operations
from plans.models import ApiToken
from tests.api.conftest import make_user
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""Calls of each operation and kind; 0: few, and always the same ones."""
SHORT = ["--generation-deterministic", "--no-shrink", "--phases=coverage,fuzzing"]
CONFIGURATION = """
# The document cannot say that no text in a free JSON object holds NUL.
generation.allow-x00 = false
# What is well formed may still make no sense, and is then told so by the validation.
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""
LONG_CONFIGURATION = """
# Nor that there is no number of more than 64 bits, and no more than 20 levels.
[[operations]]
include-operation-id = "create_plan"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "422"]
"""
SHORT_CONFIGURATION = """
# The edge cases of all others are those of a few, because they share their parts.
[[operations]]
exclude-operation-id = ["create_plan", "start_plan", "list_tasks", "command_tasks"]
phases.coverage.enabled = false
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.timeout(3600 if EXAMPLES else 600),
]


def test_whatever_is_called_the_answers_are_what_the_document_says(
    processes: Processes, sandbox: Sandbox, tmp_path: Path
) -> None:
    web = processes.web()
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], failure_policy="continue")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    make_plan(["tenant-003"])
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(
        CONFIGURATION + (LONG_CONFIGURATION if EXAMPLES else SHORT_CONFIGURATION)
    )
    token = ApiToken.issue(make_user("admin"))
    arguments = [
        f"--config-file={configuration}",
        "--no-color",
        "run",
        f"{web.url}/api/openapi.json",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        "--continue-on-failure",
        "--warnings=off",
        # However busy this machine is.
        "--request-timeout=60",
        "--suppress-health-check=too_slow",
        f"--max-examples={EXAMPLES or 4}",
        *([] if EXAMPLES else SHORT),
    ]
    called = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    if EXAMPLES:
        print(called.stdout)
    assert called.returncode == 0, called.stdout + called.stderr
    assert "Traceback" not in web.log
    assert audit.verify().broken == []
