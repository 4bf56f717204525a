"""Our own scripts and styles stay small: every page waits for them."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
LINES_MAX = 300
CSS_MAX_BYTES = 60_000


def test_our_javascript_has_under_300_lines_beside_comments() -> None:
    lines = 0
    for file in (STATIC / "js").rglob("*.js"):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
        told = (line.strip() for line in text.splitlines())
        lines += sum(bool(line) and not line.startswith("//") for line in told)
    assert 0 < lines < LINES_MAX


def test_our_css_has_under_60_kb() -> None:
    size = sum(file.stat().st_size for file in (STATIC / "css").rglob("*.css"))
    assert 0 < size < CSS_MAX_BYTES
