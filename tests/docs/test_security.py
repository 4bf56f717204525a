"""The threat model names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "security.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| threat", "| ---"))
]


def test_there_are_threats() -> None:
    assert len(ROWS) > 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_threat_names_what_protects_and_tests_that_exist(row: list[str]) -> None:
    threat, protection, shown = row
    assert threat
    assert protection
    tests = re.findall(r"`([^`]+)::([^`]+)`", shown)
    assert tests, "what no test shows is not protected"
    for path, test in tests:
        source = (ROOT / path).read_text()
        found = re.search(rf"^(async )?def {test}\(", source, re.MULTILINE)
        assert found, f"mend docs/security.md: {path} has no {test}"
