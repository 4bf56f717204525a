"""A new plan from a table in a real browser: refused by line, mended, created, started."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.installed.browsing import Visitor, visit
from tests.acceptance.installed.installation import Api, Installation
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]

BAD = "tenantId,version,payload\ntenant-021,many,\ntenant-022,,\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "tenants.csv"
    file.write_text(BAD)
    return file


def open_form(visitor: Visitor, name: str) -> None:
    visitor.sign_in("operator")
    visitor.page.goto("/plans/new/")
    visitor.page.get_by_label("Name", exact=True).fill(name)
    visitor.page.locator("#table-field summary").click()


def test_a_table_with_a_bad_line_is_mended_created_and_started(
    browser: Browser, installation: Installation, api: Api, sandbox: Sandbox, table: Path
) -> None:
    visitor = visit(browser, installation)
    page = visitor.page
    open_form(visitor, "From a table")
    page.get_by_label("From a CSV file").set_input_files(table)
    preview, lines = page.locator("#preview"), page.get_by_label("Tenants as a table")
    expect(lines).to_have_value(BAD)
    expect(preview).to_contain_text("Line 2: “many” is no version")
    lines.fill('tenant-021,,"{""limit"": 7}"\ntenant-022,,\n')
    expect(preview).to_contain_text("2 tenants move to green")
    expect(preview).to_contain_text("No errors: it can be created.")
    preview.locator("#outlook-tenant-021 summary").click()
    expect(preview).to_contain_text("limit")
    expect(preview).to_contain_text("Redis HSET bg:config:tenant-021")
    page.get_by_role("button", name="canary: 1, 10%, rest").click()
    page.get_by_role("button", name="Create and start").click()
    expect(page.locator("#plan-header .badge").first).to_have_text("completed")
    assert {sandbox.route(tenant) for tenant in ("tenant-021", "tenant-022")} == {"green"}
    assert visitor.complaints == []


def test_a_bad_file_creates_nothing_without_scripts_either(
    browser: Browser, installation: Installation, api: Api, table: Path
) -> None:
    before = api.get("/plans")["total"]
    visitor = visit(browser, installation, scripts=False)
    page = visitor.page
    open_form(visitor, "No scripts, a table")
    page.get_by_label("From a CSV file").set_input_files(table)
    page.get_by_role("button", name="Create and start").click()
    expect(page.locator("#preview")).to_contain_text("Line 2: “many” is no version")
    lines = page.get_by_label("Tenants as a table")
    expect(lines).to_have_value(BAD)
    assert api.get("/plans")["total"] == before
    lines.fill("tenant-023,,\n")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#plan-header")).to_contain_text("No scripts, a table")
    assert api.get("/plans")["total"] == before + 1
    assert [c for c in visitor.complaints if "422" not in c] == []


def test_a_viewer_is_told_who_may_create_and_sees_a_fresh_page_connect(
    browser: Browser, installation: Installation
) -> None:
    visitor = visit(browser, installation)
    page = visitor.page
    visitor.sign_in("viewer")
    page.goto("/plans/new/")
    expect(page.locator("#may-not-create")).to_contain_text("operator")
    expect(page.locator("form#plan-form")).to_have_count(0)
    states = "window.states = []; new MutationObserver(() => window.states.push("
    states += "document.getElementById('live-status')?.dataset.state)).observe(document, "
    states += "{ subtree: true, attributes: true, childList: true })"
    page.add_init_script(states)
    page.goto("/")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    seen = page.evaluate("window.states")
    assert "connecting" in seen
    assert "reconnecting" not in seen
    assert visitor.complaints == []


def test_counts_filter_the_wall_and_the_wall_follows(
    browser: Browser, installation: Installation, api: Api, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tenant-025", "gateway.put_route", "status", code=400)
    visitor = visit(browser, installation)
    page = visitor.page
    visitor.sign_in("operator")
    page.goto("/?q=tenant-02")
    page.locator("#overview-counts").get_by_role("link", name="failed").first.click()
    expect(page).to_have_url(f"{installation.web.url}/?state=FAILED&q=tenant-02")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    expect(page.locator("#t-tenant-025")).to_have_count(0)
    page.evaluate("window.stamp = 'never loaded again'")
    body = {"name": "Fails", "tenantIds": ["tenant-025"], "executorType": "BLUE_GREEN_SWITCH"}
    plan = api.post("/plans", body, status=201)["planId"]
    api.post(f"/plans/{plan}/start")
    expect(page.locator("#t-tenant-025")).to_be_visible()
    expect(page.locator("#overview-needs")).to_contain_text("Fails")
    expect(page.locator("#overview-counts [aria-current] b")).to_have_text("1")
    assert page.evaluate("window.stamp") == "never loaded again"
    assert visitor.complaints == []
