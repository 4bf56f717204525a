"""What the documents tell people to type."""

import re
from pathlib import Path

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def blocks() -> list[str]:
    """The commands of docs/operations.md, each block as a script for bash."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", OPERATIONS.read_text(), re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in found]


def block(part: str) -> str:
    """The one block that holds `part`."""
    (found,) = [each for each in blocks() if part in each]
    return found
