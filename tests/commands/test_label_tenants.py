"""`manage.py label_tenants`."""

from pathlib import Path

import pytest

from plans import registry_sync
from plans.clients.ob_service import TenantRecord
from plans.models import Tenant
from tests.commands.conftest import Manage
from tests.plans.rows import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants() -> None:
    for number in (1, 2, 3):
        make_tenant(f"tenant-00{number}", labels={"region": "eu"})


def labels() -> dict[str, dict[str, str]]:
    return dict(Tenant.objects.values_list("pk", "labels"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


@pytest.mark.usefixtures("tenants")
def test_labels_are_set_and_taken_away_and_others_stay(manage: Manage, table: Path) -> None:
    table.write_text("tenantId;ring;region\ntenant-001; canary ;us\n\ntenant-002;早期;\n")
    assert manage("label_tenants", table).out == "2 tenants are labelled.\n"
    assert labels() == {
        "tenant-001": {"ring": "canary", "region": "us"},
        "tenant-002": {"ring": "早期"},
        "tenant-003": {"region": "eu"},
    }


@pytest.mark.usefixtures("tenants")
def test_wrong_lines_are_told_and_no_label_is_set(manage: Manage, table: Path) -> None:
    table.write_text(
        "tenantId,ring\ntenant-001,canary\nbad id,x\ntenant-001,late\n"
        f"tenant-002,{'x' * 65}\ntenant-003,a,b\n"
    )
    before = labels()
    ended = manage("label_tenants", table)
    assert ended.code == 1
    assert ended.err.splitlines() == [
        "Line 3: “bad id” is no tenant id.",
        "Line 4: tenant-001 stands on line 2 already.",
        f"Line 5: The label “{'x' * 20}…” is longer than 64 characters.",
        "Line 6: 2 labels, where the first line names 1.",
    ]
    assert labels() == before


@pytest.mark.usefixtures("tenants")
def test_an_unknown_tenant_is_told_and_no_label_is_set(manage: Manage, table: Path) -> None:
    table.write_text("tenantId,ring\ntenant-001,canary\ntenant-404,canary\n")
    before = labels()
    ended = manage("label_tenants", table)
    assert (ended.code, ended.err) == (1, "Line 3: tenant-404 is not in the registry.\n")
    assert labels() == before


@pytest.mark.parametrize(
    ("first_line", "said"),
    [
        ("ring,region", "Line 1: The first line must be tenantId and the names of labels."),
        ("tenantId", "Line 1: The first line must be tenantId and the names of labels."),
        ("tenantId,a=b", "Line 1: “a=b” is no name for a label, or stands here twice."),
        ("tenantId,a,a", "Line 1: “a” is no name for a label, or stands here twice."),
    ],
)
def test_a_first_line_that_names_no_labels_is_refused(
    manage: Manage, table: Path, first_line: str, said: str
) -> None:
    table.write_text(f"{first_line}\ntenant-001,x\n")
    assert manage("label_tenants", table).err.splitlines() == [said]


@pytest.mark.usefixtures("tenants")
def test_labels_outlive_what_the_ob_service_says(manage: Manage, table: Path) -> None:
    table.write_text("tenantId,ring\ntenant-001,canary\n")
    manage("label_tenants", table)
    registry_sync.store([TenantRecord("tenant-001", "Another name", "green", 7, ())])
    tenant = Tenant.objects.get(pk="tenant-001")
    assert (tenant.name, tenant.labels["ring"]) == ("Another name", "canary")
