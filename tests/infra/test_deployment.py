"""What is deployed runs the commands that there are, as nobody in particular."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from plans import conf
from plans.engine import worker
from tests.support import pages

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
COMPOSE = (ROOT / "compose.yaml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCFILE = dict(
    line.split(": exec ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line
)
KINDS = {"web", "worker", "conductor", "renewals"}
NUMBERED = {f"{kind}-{number}": kind for kind in ("worker", "conductor") for number in (1, 2)}


def essence(command: list[str]) -> str:
    """A command without where it lies, to what it listens and how much it says."""
    words = [Path(command[0]).name, *command[1:]]
    text = re.sub(r" -[bpv] \S+", "", " ".join(words))
    return text.removesuffix(" --noinput")


EXPECTED = {kind: essence(PROCFILE[kind].split()) for kind in KINDS}


def services() -> dict[str, str]:
    """The text of each service in compose.yaml."""
    _before, body = COMPOSE.split("\nservices:\n")
    parts = re.split(
        r"^  ([a-z0-9-]+):(?: &[a-z]+)?\n", body.split("\nvolumes:\n")[0], flags=re.MULTILINE
    )[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def command_of(service: str) -> list[str]:
    found = re.search(r"^    command: (\[.*\])$", service, re.MULTILINE)
    assert found
    command: list[str] = json.loads(found[1])
    return command


def test_the_commands_are_the_ones_of_the_contract() -> None:
    assert EXPECTED == {
        "web": "daphne bluegreen.asgi:application",
        "worker": "python manage.py worker",
        "conductor": "python manage.py conductor",
        "renewals": "python manage.py renewals",
    }
    assert {"worker", "conductor", "renewals", "migrate"} <= set(get_commands())


def test_compose_runs_every_process_and_what_it_needs() -> None:
    found = services()
    ours = {"web", "renewals", *NUMBERED, "migrate", "manage"}
    assert set(found) == ours | {"postgres", "redis"}
    for name, kind in {**NUMBERED, "web": "web", "renewals": "renewals"}.items():
        if name.endswith("-2"):
            assert found[name].strip() == f"<<: *{kind}", "it is as the first one"
        else:
            assert essence(command_of(found[name])) == EXPECTED[kind]
    assert essence(command_of(found["migrate"])) == "python manage.py migrate"
    for name in ours - {"worker-2", "conductor-2"}:
        assert "<<: *bluegreen" in found[name]
        assert ("healthcheck: {disable: true}" in found[name]) == (name != "web")


def test_the_first_start_waits_for_the_server_that_stays_and_tries_again() -> None:
    found = services()
    (test,) = re.findall(r"test: (.*pg_isready.*)", found["postgres"])
    # The image's first server, which goes away again, listens on the socket alone.
    assert json.loads(test)[1:4] == ["pg_isready", "-h", "127.0.0.1"]
    assert 'restart: "on-failure:' in found["migrate"]


def test_whoever_stops_a_worker_waits_longer_than_the_worker_needs() -> None:
    needs = (
        conf.WORKER_GRACE_SECONDS
        + worker.TAKE_TIMEOUT_SECONDS
        + 3 * worker.REGISTRY_TIMEOUT_SECONDS
    )
    (unit,) = [unit for unit in UNITS if "worker" in unit.name]
    assert float(re.findall(r"TimeoutStopSec=(.*)", unit.read_text())[0]) > needs
    (period,) = re.findall(r'stop_grace_period: "(.*)"', services()["worker-1"])
    ((default, more),) = re.findall(r"^\$\{WORKER_GRACE_SECONDS:-(\d+)\}s(\d+)ms$", period)
    assert float(default) == conf.WORKER_GRACE_SECONDS
    assert conf.WORKER_GRACE_SECONDS + float(more) / 1000 > needs
    assert "init: true" in COMPOSE.split("\nservices:\n")[0], "number 1 would miss a SIGTERM"


def test_any_setting_can_be_given_to_the_containers() -> None:
    common = COMPOSE.split("\nservices:\n")[0]
    assert 'env_file: [".env"]' in common
    assert "DATABASE_URL" in common.split("\n  environment:\n")[1], "what is fixed comes after it"


def test_containers_write_nowhere_are_nobody_and_publish_on_the_loopback_only() -> None:
    for line in ("read_only: true", 'cap_drop: ["ALL"]', "no-new-privileges:true"):
        assert line in COMPOSE.split("\nservices:\n")[0]
    assert re.findall(r"ports: (.*)", COMPOSE) == ['["127.0.0.1:8000:8000"]']
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert "/healthz" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"(PASSWORD|SECRET_KEY): \"?[^\"$]", COMPOSE), "a secret in a file"


def test_the_image_holds_what_it_copies_and_no_data() -> None:
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    allowed = set((ROOT / ".dockerignore").read_text().splitlines())
    for path in " ".join(copied).split():
        assert (ROOT / path).exists()
        assert f"!{path}" in allowed
    assert "*" in allowed


def test_units_run_every_process() -> None:
    commands = {}
    for unit in UNITS:
        kind = re.split(r"[-@.]", unit.name)[1]
        found = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
        assert found
        commands[kind] = essence(found[1].split())
    assert commands == EXPECTED


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_confined_and_comes_back(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    for line in ("User=bluegreen", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=always"):
        assert line in lines


@pytest.mark.skipif(not shutil.which("systemctl"), reason="there is no systemd here")
def test_a_machine_runs_the_units_that_are_enabled_on_it(tmp_path: Path) -> None:
    system = tmp_path / "etc" / "systemd" / "system"
    system.mkdir(parents=True)
    for unit in [*UNITS, ROOT / "deploy" / "systemd" / "bluegreen.target"]:
        shutil.copy(unit, system)
    script = re.sub(
        r"^(systemctl) (enable)(?: --now)?",
        rf"\1 --root={tmp_path} \2",
        "\n".join(
            re.findall(
                r"^systemctl enable .*",
                pages.block("systemctl enable --now bluegreen.target"),
                re.MULTILINE,
            )
        ),
        flags=re.MULTILINE,
    )
    subprocess.run(["bash", "-euc", script], check=True, capture_output=True)
    assert {path.name for path in (system / "bluegreen.target.wants").iterdir()} == {
        f"bluegreen-{name}.service"
        for name in ("web", "renewals", "worker@1", "worker@2", "conductor@1", "conductor@2")
    }
    assert (system / "multi-user.target.wants" / "bluegreen.target").is_symlink()
    assert "Wants=" not in (system / "bluegreen.target").read_text(), "each machine has its own"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_can_read_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
        (tmp_path / unit.name).write_text(text)
    found = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.glob("*[!@].service"))],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in found.stderr.splitlines() if str(tmp_path) in line]
    assert complaints == []
