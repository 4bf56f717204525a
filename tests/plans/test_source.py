"""What the source may not do, looked for in its syntax."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import plans

ROOT = Path(plans.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts]
THE_ONE_ROAD = ROOT / "events.py"
MARK = "noqa: PLC0415"


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(ROOT)))
def source(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def writes_of_state(tree: ast.AST) -> Iterator[int]:
    """The lines that assign to an attribute `state` or update it in a query."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            written = [leaf for target in targets for leaf in getattr(target, "elts", [target])]
            yield from (
                leaf.lineno
                for leaf in written
                if isinstance(leaf, ast.Attribute) and leaf.attr == "state"
            )
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = {keyword.arg for keyword in node.keywords}
            if node.func.attr in ("update", "update_or_create") and "state" in names:
                yield node.lineno
            values = [getattr(argument, "value", None) for argument in node.args]
            if node.func.attr in ("bulk_update", "save", "__setattr__") and "state" in values:
                yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            values = [getattr(argument, "value", None) for argument in node.args]
            if node.func.id == "setattr" and "state" in values:
                yield node.lineno


def test_only_the_one_road_writes_a_state(source: Path) -> None:
    if source != THE_ONE_ROAD:
        assert list(writes_of_state(ast.parse(source.read_text()))) == []


def test_no_import_is_inside_a_function(source: Path) -> None:
    text = source.read_text()
    inside = {
        node.lineno
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    lines = text.splitlines()
    assert [n for n in sorted(inside) if MARK not in lines[n - 1]] == []


@pytest.mark.parametrize(
    "line",
    [
        "row.state = 'x'",
        "a, row.state = 1, 2",
        "Task.objects.filter(pk=1).update(state='x', revision=1)",
        "setattr(row, 'state', 'x')",
    ],
)
def test_the_search_finds_a_written_state(line: str) -> None:
    assert list(writes_of_state(ast.parse(line))) == [1]
