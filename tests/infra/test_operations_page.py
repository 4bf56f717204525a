"""What docs/operations.md tells people to type does what it says."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from scripts.private_postgres import Cluster, find_programs
from tests.infra.test_deployment import NUMBERED, ROOT, UNITS, services
from tests.support import pages

WRAPPERS = ROOT / "deploy"
STRANGE = ["--reason", "two  words; $HOME ${x} $$ `id` 100% \"'\\", ""]


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `systemd-run` and `docker` write their folder and arguments, each on a line."""
    for name in ("systemd-run", "docker"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" > {tmp_path}/noted\nexit 7\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "noted"


def section(unit: Path) -> set[str]:
    """What the unit says of its process, without what it runs and when it runs it again."""
    lines = unit.read_text().split("[Service]\n")[1].split("\n\n")[0].splitlines()
    return {line for line in lines if not re.match("#|ExecStart|Restart|TimeoutStop", line)}


def test_under_systemd_a_command_runs_as_the_units_do(noted: Path) -> None:
    ran = subprocess.run([WRAPPERS / "systemd" / "bluegreen", "stop", "all", *STRANGE], check=False)
    assert ran.returncode == 7
    _folder, *options = noted.read_text().splitlines()
    command = options[options.index("/opt/bluegreen/.venv/bin/python") :]
    properties = {each.removeprefix("--property=") for each in options if "--property=" in each}
    for unit in UNITS:
        assert properties == section(unit), unit.name
    assert "--wait" in options, "it ends as the command does"
    # systemd makes one dollar of two, and reads a single one as the beginning of a variable.
    strange = [argument.replace("$", "$$") for argument in STRANGE]
    assert command[1:] == ["manage.py", "stop", "all", *strange]


def test_under_systemd_another_version_is_named_by_its_folder(
    noted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUEGREEN_HOME", "/opt/bluegreen-2")
    subprocess.run([WRAPPERS / "systemd" / "bluegreen", "migrate"], check=False)
    options = noted.read_text().splitlines()
    assert options[-3:] == ["/opt/bluegreen-2/.venv/bin/python", "manage.py", "migrate"]
    assert "--property=WorkingDirectory=/opt/bluegreen-2" in options


def test_with_compose_a_command_runs_in_a_container_like_the_others(
    noted: Path, tmp_path: Path
) -> None:
    link = tmp_path / "bluegreen"
    link.symlink_to(WRAPPERS / "compose" / "bluegreen")
    ran = subprocess.run([link, "stop", "all", *STRANGE], cwd=tmp_path, check=False)
    assert ran.returncode == 7
    expected = [str(ROOT), "compose", "run", "--rm", "manage", "stop", "all", *STRANGE]
    assert noted.read_text().split("\n")[:-1] == expected
    service = services()["manage"]
    assert 'entrypoint: ["python", "manage.py"]' in service
    assert 'profiles: ["manage"]' in service, "`up` leaves it alone"


def test_the_page_runs_no_command_without_its_settings() -> None:
    page = pages.OPERATIONS.read_text()
    said = re.findall(r"`manage\.py [^`]*`", page.split("## With compose")[1])
    assert said == []
    for script in pages.blocks():
        assert "manage.py" not in script
    lines = "\n".join([*pages.blocks(), *re.findall(r"`(bluegreen [^`]*)`", page)])
    names = set(
        re.findall(r'^(?:.*PWD" )?(?:docker .* manage|bluegreen) ([a-z_]+)', lines, re.MULTILINE)
    )
    assert {"migrate", "createsuperuser", "stop", "token", "verify_audit", "sync_tenants"} <= names
    assert names <= set(get_commands())


def test_the_page_upgrades_and_stops_the_services_and_units_that_there_are() -> None:
    ours = {"web", "renewals", *NUMBERED}
    page = pages.OPERATIONS.read_text()
    compose, systemd = re.findall(r"^    for one in (.*); do$", page, re.MULTILINE)
    assert set(compose.split()) == ours
    assert systemd.replace("@", "-") == compose
    (stopped,) = re.findall(r"`docker compose stop (.*?)`", page)
    named = subprocess.run(["bash", "-c", f"echo {stopped}"], capture_output=True, text=True).stdout
    assert set(named.split()) == ours


# --- Backup and restore ---------------------------------------------------------------------------


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A server of PostgreSQL as the one in the container, reached by `docker compose exec`."""
    programs = find_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL here")
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\n[ "$1 $2 $3 $4" = "compose exec -T postgres" ] || exit 64\nshift 4\nexec "$@"\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{programs}:{os.environ['PATH']}")
    cluster = Cluster(programs)
    monkeypatch.setenv("PGHOST", str(cluster.folder))
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        cluster.remove()


def test_the_commands_for_compose_back_up_and_restore(container: Cluster, tmp_path: Path) -> None:
    def run(script: str) -> str:
        return subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    def asked(database: str) -> str:
        return run(f"psql -U bluegreen -At {database} -c 'SELECT * FROM said'")

    run("createdb -U bluegreen bluegreen")
    run("psql -U bluegreen bluegreen -c \"SELECT 'before' AS word INTO said\"")
    run(pages.block("postgres pg_dump"))
    run("psql -U bluegreen bluegreen -c \"UPDATE said SET word = 'after'\"")
    run(pages.block("postgres pg_restore"))
    assert (asked("bluegreen"), asked("bluegreen_before")) == ("before", "after")
