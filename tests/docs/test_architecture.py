"""The page on the architecture names the layers that the contract keeps."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
LAYER = re.compile(r"^(\w+(?: \| \w+)*)  +\S")


def test_the_layers_on_the_page_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (kept,) = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    listed = PAGE.read_text().partition("## Layers")[2].split("```")[1].strip().splitlines()
    assert [found[1] if (found := LAYER.match(line)) else line for line in listed] == kept
