"""The documents name what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COVERAGE = ROOT / "docs" / "coverage.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]

COUNTS = {"S1.": 4, "S2.": 6, "S3.": 6, "S4.": 5, "S5.": 4, "S6.": 4, "S7.": 1, "S8.": 4, "S9.": 7}
COUNTS["X"] = 9
IDS = [f"{group}{number}" for group, count in COUNTS.items() for number in range(1, count + 1)]
"""The requirements of the specification."""

OPEN = "**open**"
STATES = {"done", "part", OPEN}

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in COVERAGE.read_text().splitlines()
    if re.match(r"\| [SX]\d", line)
]
LINK = re.compile(r'\]\((?!https?:|#)([^)#\s]+)[^)]*\)|(?:src|srcset)="([^"]+)"')


def test_every_requirement_stands_here_once() -> None:
    assert [row[0] for row in ROWS] == IDS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_requirement_names_exists(row: list[str]) -> None:
    _id, state, _what, code, shown = row
    assert state in STATES
    for path in re.findall(r"`([^`]+)`", code):
        assert (ROOT / path).exists(), f"mend docs/coverage.md: there is no {path}"
    tests = re.findall(r"`([^`]+)`", shown)
    assert tests or state == OPEN, "what no test shows is open"
    for name in tests:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), f"mend docs/coverage.md: there is no {path}"
        found = re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE)
        assert found, f"mend docs/coverage.md: {path} has no {test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", text))
    named |= set(re.findall(r"^    (?:[A-Z_]+=\S+ )*make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets, f"{page.name} names targets that there are not"
    for match in LINK.finditer(text):
        path = match[1] or match[2]
        assert (page.parent / path).exists(), f"{page.name} links {path}, which is not there"
