"""What is installed is exactly what was locked, and `make audit` looks at all of it."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

LOCKS = sorted((Path(settings.BASE_DIR) / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_one_version_and_its_hashes_and_no_file_names_an_address(
    lock: Path,
) -> None:
    text = lock.read_text()
    requirements = re.sub(r"#.*", "", text).replace("\\\n", " ").split("\n")
    packages = [line for line in requirements if line.strip()]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9-]+(\[[a-z]+\])?==[0-9][^ ;]*( ; [^#]+?)? +--hash=", package)
    assert "://" not in text


def test_the_audit_looks_at_every_lock() -> None:
    command = subprocess.run(
        ["make", "--dry-run", "audit"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    audited = set(re.findall(r"-r requirements/(\w+\.txt)", command.split("pip-audit", 1)[1]))
    # The development's lock holds the runtime's whole.
    assert audited | {"runtime.txt"} == {lock.name for lock in LOCKS}
    assert packages_of("runtime.txt") <= packages_of("dev.txt")


def packages_of(name: str) -> set[str]:
    """Each package with its version."""
    text = (Path(settings.BASE_DIR) / "requirements" / name).read_text()
    return set(re.findall(r"^([a-z0-9\[\]-]+==\S+)", text, re.MULTILINE))
