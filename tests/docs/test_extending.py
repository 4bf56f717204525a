"""The packages of docs/extending.md, as they stand there, are found and work."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from plans import extensions, listeners, operations, pipelines
from plans.errors import ValidationFailed
from plans.models import StageRun, Task, TaskState
from plans.stages import registry
from plans.validation import chain
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
FILE = re.compile(r"```(?:toml|python)\n# (\S+)/(\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Bluegreen with the page's packages installed; the file to which their listener writes."""
    site = tmp_path / "site"
    site.mkdir()
    modules = [install(*found, site) for found in FILE.findall(PAGE.read_text())]
    monkeypatch.setenv("PAGER_FILE", str(tmp_path / "pager.jsonl"))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(registry, "_stages", dict(registry._stages))
    monkeypatch.setattr(pipelines, "PIPELINES", dict(pipelines.PIPELINES))
    monkeypatch.setattr(chain, "_validators", list(chain._validators))
    monkeypatch.setattr(listeners, "_listeners", list(listeners._listeners))
    extensions.load()
    yield tmp_path / "pager.jsonl"
    for module in modules:
        sys.modules.pop(module, None)


def install(package: str, name: str, content: str, site: Path) -> str:
    """Do with one file of the page what pip would; the name of its module, if it is one."""
    if name != "pyproject.toml":
        (site / name).write_text(content)
        return name.removesuffix(".py")
    project = tomllib.loads(content)["project"]
    assert project["name"] == package
    info = site / f"{package.replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return ""


def test_the_packages_of_the_page_are_found_and_work(sandbox: Sandbox, pager: Path) -> None:
    sandbox.add_fault("tenant-002", "instance.health", "unhealthy")
    plan = make_plan(
        ["tenant-001", "tenant-002"],
        executor_type="CAREFUL_SWITCH",
        failure_policy="continue",
        parameters={"check_ready": {"timeout_seconds": 0.2, "interval_seconds": 0.1}},
    )
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    well, unwell = Task.objects.order_by("tenant")
    assert well.state == TaskState.COMPLETED
    assert StageRun.objects.get(task=well, stage="check_ready").result == {"instances": 3}
    assert (unwell.state, unwell.failure["errorCode"]) == (TaskState.FAILED, "NOT_READY")
    assert sandbox.route("tenant-002") == "blue"
    called = [json.loads(line) for line in pager.read_text().splitlines()]
    assert [(call["kind"], call["tenant"]) for call in called] == [("task.failed", "tenant-002")]


def test_the_validator_of_the_page_refuses_a_plan_without_a_canary(
    sandbox: Sandbox, pager: Path
) -> None:
    tenants = [f"tenant-{n:03}" for n in range(1, 22)]
    with pytest.raises(ValidationFailed) as refused:
        make_plan(tenants)
    assert [issue.code for issue in refused.value.summary.errors] == ["CANARY_MISSING"]
    make_plan(tenants, waves=[{"size": 5}, {"rest": True}])
