"""The packages of docs/extending.md, as they stand there, are installed, found and work."""

import json
import re
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis

from plans import extensions, listeners, operations, pipelines
from plans.errors import ValidationFailed
from plans.models import Renewal, StageRun, Task, TaskState
from plans.notify import registry as notifiers
from plans.renewal import functions, rows
from plans.renewal.service import RenewalService
from plans.stages import registry
from plans.validation import chain
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
FILE = re.compile(r"```(?:toml|python)\n# (\S+)/(\S+)\n(.*?)```", re.DOTALL)
LEDGER = {"name": "ledger", "strategy": "to_stream", "address": "stream:ledger"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed all packages of the page."""
    folder = tmp_path_factory.mktemp("packages")
    files: dict[str, dict[str, str]] = {}
    for package, name, content in FILE.findall(PAGE.read_text()):
        files.setdefault(package, {})[name] = content
    wheels = [str(wheel(package, each, folder)) for package, each in files.items()]
    options = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site", *wheels],
        check=True,
    )
    return folder / "site"


def wheel(package: str, files: dict[str, str], folder: Path) -> Path:
    """Build what pip would build of the package's files."""
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    assert project["name"] == package
    name, version = package.replace("-", "_"), project["version"]
    info = f"{name}-{version}.dist-info"
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()))
    ]
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "\n".join(lines),
    }
    members = files | {f"{info}/{key}": text for key, text in about.items()}
    members[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    built = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(built, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return built


@pytest.fixture
def pager(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Bluegreen with the page's packages; the file to which their listener writes."""
    monkeypatch.setenv("PAGER_FILE", str(tmp_path / "pager.jsonl"))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(registry, "_stages", dict(registry._stages))
    monkeypatch.setattr(notifiers, "_strategies", dict(notifiers._strategies))
    monkeypatch.setattr(pipelines, "PIPELINES", dict(pipelines.PIPELINES))
    monkeypatch.setattr(chain, "_validators", list(chain._validators))
    monkeypatch.setattr(listeners, "_listeners", list(listeners._listeners))
    for registered in (functions.keys, functions.done):
        monkeypatch.setattr(registered, "_functions", dict(registered._functions))
    extensions.load()
    yield tmp_path / "pager.jsonl"
    for module in site.glob("*.py"):
        sys.modules.pop(module.stem, None)


def test_the_packages_of_the_page_are_found_and_work(sandbox: Sandbox, pager: Path) -> None:
    sandbox.add_fault("tenant-002", "instance.health", "unhealthy")
    plan = make_plan(
        ["tenant-001", "tenant-002"],
        executor_type="CAREFUL_SWITCH",
        failure_policy="continue",
        parameters={
            "check_ready": {"timeout_seconds": 0.2, "interval_seconds": 0.1},
            "notify_services": {"services": [LEDGER, {"name": "instances"}]},
        },
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
    assert_ledger_was_told(well)


def assert_ledger_was_told(task: Task) -> None:
    run = StageRun.objects.get(task=task, stage="notify_services")
    told = run.result["services"]
    assert [each["service"] for each in told] == ["ledger", *["instances"] * 3]
    with Redis.from_url(settings.TENANT_REDIS_URL, decode_responses=True) as redis:
        entries = dict(redis.xrange("stream:ledger"))
    (written,) = [key for key, entry in entries.items() if entry["tenantId"] == task.tenant_id]
    assert told[0]["answer"] == f'{{"entry": "{written}"}}'
    assert entries[written] == {
        "tenantId": task.tenant_id,
        "version": "20",
        "color": "green",
        "idempotencyKey": f"{task.pk}-notify_services-forward-1",
        "fence": str(run.epoch),
    }


def test_the_strategy_of_the_page_looks_at_its_own_addresses(sandbox: Sandbox, pager: Path) -> None:
    wrong = {**LEDGER, "address": "https://ledger.example.net"}
    with pytest.raises(ValidationFailed) as refused:
        make_plan(["tenant-001"], parameters={"notify_services": {"services": [wrong]}})
    (issue,) = refused.value.summary.errors
    assert "The key of a stream begins with stream:" in issue.message.english


def test_the_validator_of_the_page_refuses_a_plan_without_a_canary(
    sandbox: Sandbox, pager: Path
) -> None:
    tenants = [f"tenant-{n:03}" for n in range(1, 22)]
    with pytest.raises(ValidationFailed) as refused:
        make_plan(tenants)
    assert [issue.code for issue in refused.value.summary.errors] == ["CANARY_MISSING"]
    make_plan(tenants, waves=[{"size": 5}, {"rest": True}])


def test_the_functions_of_the_page_keep_keys_alive(pager: Path) -> None:
    service = RenewalService()
    thread = threading.Thread(target=service.run, daemon=True)
    with Redis.from_url(settings.TENANT_REDIS_URL) as client:
        client.set("shop:7:open", 1)
        client.sadd("shop:7:tills", "a")
        client.set("lock:7:a", 1, px=200_000)
        rows.register(
            "shop",
            {
                "selector": {"kind": "function", "name": "shop_locks", "arguments": {"shop": "7"}},
                "ttl": {"kind": "fixed", "seconds": 600},
                "interval": {"kind": "fixed", "seconds": 0.5},
                "stop": {"done": {"name": "shop_closed", "arguments": {"shop": "7"}}},
            },
        )
        thread.start()
        try:
            wait_until(lambda: client.pttl("lock:7:a") > 300_000, message="the lock lives")
            client.delete("shop:7:open")
            wait_until(lambda: Renewal.objects.get().stop_reason == "done", message="it ends")
        finally:
            service.stop()
            thread.join(60)
