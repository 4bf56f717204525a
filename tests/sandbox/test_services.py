"""OB service, gateway and instances answer as the contract says."""

import httpx
import pytest

from tests.support.sandbox import Sandbox


def test_a_tenant_begins_blue_with_version_19_and_its_instances_addresses(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    assert http.get("/ob/tenants/tenant-001").json() == {
        "tenantId": "tenant-001",
        "name": "Acme Bikes",
        "status": "BLUE",
        "configVersion": "19",
        "endpoints": [f"{sandbox.url}/i/tenant-001/{n}" for n in (1, 2, 3)],
    }


def test_the_list_is_paged_in_order_of_id_up_to_its_end(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.reset(tenants=25)
    ids, after = [], ""
    while after is not None:
        page = http.get("/ob/tenants", params={"after": after, "limit": 10}).json()
        ids += [tenant["tenantId"] for tenant in page["items"]]
        after = page["next"]
    assert ids == sorted(ids)
    assert ids == [f"tenant-{n:03}" for n in range(1, 26)]


def test_ten_thousand_tenants_are_there_at_once_and_listed_in_ten_pages(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.reset(tenants=10_000)
    ids, names, pages, after = set(), set(), 0, ""
    while after is not None:
        page = http.get("/ob/tenants", params={"after": after}).json()
        ids |= {tenant["tenantId"] for tenant in page["items"]}
        names |= {tenant["name"] for tenant in page["items"]}
        after, pages = page["next"], pages + 1
    assert (len(ids), len(names), pages) == (10_000, 10_000, 10)


def test_status_and_route_change_apart_from_each_other(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    route = http.put("/gateway/routes/tenant-002", json={"color": "green"})
    assert route.json() == {"tenantId": "tenant-002", "color": "green"}
    assert http.get("/gateway/routes/tenant-002").json() == route.json()
    assert sandbox.status("tenant-002") == "BLUE"

    assert http.put("/ob/tenants/tenant-002/status", json={"status": "GREEN"}).is_success
    assert http.get("/ob/tenants/tenant-002").json()["status"] == "GREEN"
    assert (sandbox.route("tenant-001"), sandbox.status("tenant-001")) == ("blue", "BLUE")


def test_an_instance_says_its_health_and_version_and_takes_notices(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    notice = {"tenantId": "tenant-003", "version": "20", "color": "green"}
    assert http.get("/i/tenant-003/2/health").json() == {"status": "UP", "version": "19"}
    assert http.get("/i/tenant-003/2/config").json() == {"version": "19"}
    assert http.post("/i/tenant-003/2/notify", json=notice).is_success
    notified = [each["notified"] for each in sandbox.tenant("tenant-003")["instances"]]
    assert notified == [None, "20", None]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ob/tenants/nobody", 404),
        ("PUT", "/ob/tenants/nobody/status", 404),
        ("GET", "/gateway/routes/nobody", 404),
        ("GET", "/i/tenant-001/4/health", 404),
        ("GET", "/i/tenant-001/0/health", 404),
        ("GET", "/i/tenant-001/one/health", 404),
        ("GET", "/i/tenant-001/1/secrets", 404),
        ("GET", "/ob/", 404),
        ("DELETE", "/gateway/routes/tenant-001", 405),
        ("GET", "/ob/tenants?limit=0", 400),
        ("GET", "/ob/tenants?limit=all", 400),
    ],
)
def test_what_does_not_exist_is_refused_in_json(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"BLUE"', b'{"status": "blue"}', b'{"status": "RED"}', b'{"status": 1}'],
)
def test_a_status_that_is_no_environment_changes_nothing(
    sandbox: Sandbox, http: httpx.Client, body: bytes
) -> None:
    assert http.put("/ob/tenants/tenant-001/status", content=body).status_code == 400
    assert sandbox.status("tenant-001") == "BLUE"
    assert [call["applied"] for call in sandbox.calls()] == [False]


def test_a_huge_request_body_is_refused(http: httpx.Client) -> None:
    answer = http.put("/gateway/routes/tenant-001", content=b"x" * 2_000_000)
    assert answer.status_code == 413
