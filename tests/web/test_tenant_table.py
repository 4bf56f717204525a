"""A new plan from a table: pasted or uploaded, refused line by line, shown tenant by tenant."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from plans.models import Event, Plan, Task, Tenant
from plans.stores import tenant_config
from tests.web.conftest import add_tenants
from tests.web.test_new_plan import filled

pytestmark = pytest.mark.django_db
TABLE = 'tenantId,version,payload\ntenant-0001,30,"{""a"": 2}"\ntenant-0002,,\n'


def uploaded(content: str | bytes, **changes: Any) -> dict[str, Any]:
    raw = content.encode() if isinstance(content, str) else content
    return filled(tenants="", csv_file=SimpleUploadedFile("tenants.csv", raw), **changes)


def test_a_table_creates_tasks_with_versions_and_payloads(operator: Client) -> None:
    add_tenants(3)
    operator.post("/plans/new/", filled(tenants="tenant-0003", csv=TABLE))
    targets = {task.tenant_id: task.target for task in Task.objects.all()}
    assert targets["tenant-0001"] == {"environment": "green", "version": 30, "payload": {"a": 2}}
    assert targets["tenant-0002"]["payload"] is None
    assert set(targets) == {"tenant-0001", "tenant-0002", "tenant-0003"}


@pytest.mark.parametrize("encoded", [TABLE.encode(), TABLE.encode("utf-8-sig")])
def test_an_uploaded_file_creates_the_plan_at_once(operator: Client, encoded: bytes) -> None:
    add_tenants(3)
    assert operator.post("/plans/new/", uploaded(encoded, then="start")).status_code == 302
    assert Plan.objects.get().state == "RUNNING"
    assert Task.objects.count() == 2


def test_bad_lines_are_told_by_number_and_nothing_is_created(operator: Client) -> None:
    add_tenants(3)
    bad = "tenant-0001,30\n\ntenant-0002,many\nbad id\ntenant-0001,31\ntenant-0003,4,[1]\n"
    answer = operator.post("/plans/new/", uploaded(bad, then="start"))
    assert answer.status_code == 422
    for said in (
        "Line 3: “many” is no version",
        "Line 4: “bad id” is no tenant id.",
        "Line 5: tenant-0001 stands on line 1 already.",
        "Line 6: The payload is no JSON object: [1]",
    ):
        assert said in answer.text
    assert "Line 1:" not in answer.text
    assert "tenant-0002,many" in answer.text, "what was uploaded can be mended on the page"
    assert not Plan.objects.exists()
    assert not Event.objects.exists()


def test_what_the_validation_finds_names_the_line(operator: Client) -> None:
    add_tenants(1)
    Tenant.objects.update(endpoints=[])
    answer = operator.post("/plans/new/", uploaded("tenant_id\ntenant-0001\n"))
    assert answer.status_code == 422
    assert "line 2</span>" in answer.text
    assert "names no instances" in answer.text
    assert not Plan.objects.exists()


def test_htmx_gets_the_field_with_the_files_text(operator: Client, viewer: Client) -> None:
    answer = operator.post(
        "/plans/new/table/", uploaded("t-1;7\nt-2;x\n"), headers={"HX-Request": "true"}
    )
    assert answer.text.lstrip().startswith('<details id="table-field" class="stack" open>')
    assert "t-1;7" in answer.text
    assert "Line 2: “x” is no version" in answer.text
    assert answer.headers["HX-Trigger-After-Swap"] == "tenants:changed"
    assert viewer.post("/plans/new/table/", uploaded("t-1\n")).status_code == 403


@pytest.mark.parametrize("raw", [TABLE.encode("utf-16"), b"\xff\xfe\x00bad", b"tenant-\xe4\n"])
def test_a_file_that_is_no_utf_8_is_told_so(operator: Client, raw: bytes) -> None:
    answer = operator.post("/plans/new/", uploaded(raw))
    assert answer.status_code == 422
    assert not Plan.objects.exists()


def test_a_file_that_is_too_large_is_refused(operator: Client) -> None:
    answer = operator.post("/plans/new/", uploaded("tenant-0001\n" * 200_000))
    assert answer.status_code == 422
    assert "at most 2097152 characters" in answer.text


def test_the_preview_says_what_changes_and_what_is_called(
    operator: Client, redis_server: str
) -> None:
    add_tenants(2)
    held = {"a": 1, "password": "old", "same": True}
    tenant_config.write("tenant-0001", 21, 1, "blue", held)
    wanted = json.dumps({"a": 2, "password": "new", "same": True, "b": {"c": []}})
    cell = wanted.replace('"', '""')
    text = operator.post(
        "/plans/new/preview/", filled(tenants="tenant-0002", csv=f'tenant-0001,,"{cell}"\n')
    ).text
    assert '<span class="num soft">21 → 22</span>' in text
    assert "3 changes" in text
    assert "<code>a</code></th><td><del><code>1</code></del>" in text
    assert "<ins><code>2</code></ins>" in text
    assert "<code>b.c</code>" in text
    assert "•••" in text
    for secret in ("<code>&quot;old", "<ins><code>&quot;new"):
        assert secret not in text
    assert "/routes/tenant-0001 {&quot;color&quot;: &quot;green&quot;}" in text
    assert "Redis HSET bg:config:tenant-0001 version=22 color=green" in text
    assert "The configuration stays as it is, as version 1." in text
    assert "At most 2 at once, in 2 waves." in text
    assert not Plan.objects.exists()


def test_a_version_that_redis_is_past_is_pointed_out(operator: Client, redis_server: str) -> None:
    add_tenants(1)
    tenant_config.write("tenant-0001", 50, 1, "blue", {})
    text = operator.post(
        "/plans/new/preview/", filled(tenants="", waves="", csv="tenant-0001,49")
    ).text
    assert "Redis holds version 50, which is newer than 49" in text


def test_tenants_are_previewed_page_by_page(operator: Client, redis_server: str) -> None:
    asked = filled(tenants=" ".join(add_tenants(45)))
    first = operator.post("/plans/new/preview/", asked).text
    assert first.count('<details id="outlook-') == 20
    last = operator.post("/plans/new/preview/", asked | {"from": "40"}).text
    assert "41 to 45 of 45" in last
    assert 'name="from" value="20"' in last
    assert operator.post("/plans/new/preview/", asked | {"from": "x" * 30}).status_code == 200


def test_ticks_survive_another_search(operator: Client) -> None:
    add_tenants(9)
    text = operator.post(
        "/plans/new/tenants/", {"search": "0009", "pick": ["tenant-0001", "gone"]}
    ).text
    assert 'value="tenant-0001" checked' in text
    assert 'value="tenant-0009" >' in text
    assert text.count('name="pick"') == 2


def test_a_viewer_is_told_at_once_who_may_create(viewer: Client, operator: Client) -> None:
    text = viewer.get("/plans/new/").text
    assert "<textarea" not in text
    assert "Ask one of them:</p>" not in text
    assert "<b>olga</b>" in text
    assert "<textarea" in operator.get("/plans/new/").text
