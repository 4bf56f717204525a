"""The dashboard in a real browser, on a whole installation: what operators and viewers live."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.installed.browsing import Visitor, visit
from tests.acceptance.installed.installation import Api, Installation
from tests.support.sandbox import Sandbox, calls_of
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]

MAY_NOT = "Your role may look, but not operate: ask an operator."


def cell(page: Page, tenant: str) -> Locator:
    return page.locator(f"#wall a[title^='{tenant} ']")


def fill_in(page: Page, name: str, tenants: list[str], waves: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Ids, as a list").fill("\n".join(tenants))
    page.get_by_label("Waves", exact=False).first.fill(waves)
    page.get_by_label("When a tenant fails").select_option("continue")
    more = page.locator("#more")
    if more.get_attribute("open") is None:
        more.locator("summary").click()
    # Instances that are held take longer than a minute where the machine does.
    page.locator("[name=parameters]").fill('{"deliver_config": {"ack_timeout_seconds": 3600}}')


def test_an_operator_switches_tenants_and_never_loads_a_page_again(
    browser: Browser, installation: Installation, api: Api, sandbox: Sandbox
) -> None:
    first, *held, failing = tenants = [f"tenant-{n:03}" for n in range(31, 35)]
    # Instances that take nothing up hold their tasks; a route that is refused fails its task.
    holds = [sandbox.add_fault(tenant, "instance.apply", "hang") for tenant in held]
    sandbox.add_fault(failing, "gateway.put_route", "status", code=400)
    visitor = visit(browser, installation)
    page = visitor.page
    visitor.sign_in("operator")

    create(visitor, tenants)
    loaded = list(visitor.loads)
    page.evaluate("window.stamp = 'never loaded again'")
    for tenant in tenants:
        expect(cell(page, tenant)).to_have_class("cell b pending")

    visitor.act("Start", "Start", says="4 tenants will be switched to green")
    expect(cell(page, first)).to_have_class("cell g completed")
    expect(cell(page, failing)).to_have_class(re.compile(r"\bfailed\b"))
    for tenant in held:
        expect(cell(page, tenant)).to_have_class(re.compile(r"\b(waiting|running)\b"))

    visitor.act("Pause", "Pause", says="stop at their next stage boundary")
    for tenant in held:
        expect(cell(page, tenant)).to_have_class(re.compile(r"\bpaused\b"))
    expect(page.locator("#plan-header .badge")).to_have_text("paused")
    for hold in holds:
        sandbox.remove_fault(hold)
    assert {sandbox.route(tenant) for tenant in held} == {"blue"}

    visitor.act("Resume", "Resume", says="2 paused tasks go on")
    for tenant in held:
        expect(cell(page, tenant)).to_have_class("cell g completed")
    expect(page.locator("#plan-failures")).to_contain_text("GATEWAY_REJECTED")
    expect(page.locator("#plan-failures")).to_contain_text("answered 400")
    assert page.evaluate("window.stamp") == "never loaded again"
    assert visitor.loads == loaded

    page.locator("#task-table").get_by_role("link", name=failing).click()
    continue_from_its_checkpoint(visitor, failing, sandbox)
    roll_it_back(visitor, failing, sandbox)

    page.get_by_role("link", name="Autumn").click()
    expect(cell(page, failing)).to_have_class("cell b rolled_back")
    expect(cell(page, first)).to_have_class("cell g completed")
    assert sandbox.route(first) == "green"
    assert visitor.complaints == []


def create(visitor: Visitor, tenants: list[str]) -> None:
    page = visitor.page
    page.get_by_role("link", name="Plans").click()
    page.get_by_role("link", name="New plan").click()
    page.wait_for_url("**/plans/new/")  # With the scripts that make the preview.
    fill_in(page, "Autumn", [*tenants, "no-such-tenant"], "1, rest")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("no-such-tenant")
    expect(preview).to_contain_text("1 error: nothing can be created yet.")
    fill_in(page, "Autumn", tenants, "1, rest")
    expect(preview).to_contain_text("4 tenants move to green")
    expect(preview).to_contain_text("Wave 2")
    expect(preview).to_contain_text("No errors: it can be created.")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#plan-header")).to_contain_text("Autumn")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    page.wait_for_load_state()


def continue_from_its_checkpoint(visitor: Visitor, tenant: str, sandbox: Sandbox) -> None:
    page = visitor.page
    failure = page.locator("#task-failure")
    expect(failure).to_contain_text("GATEWAY_REJECTED")
    expect(failure).to_contain_text(
        "These stages stand done: read tenant → deliver configuration → notify services."
    )
    expect(page.locator("#task-rail")).to_contain_text("checkpoint NOTIFIED")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    sandbox.clear_faults()
    before = sandbox.last_call()
    page.evaluate("window.stamp = 'the task too'")
    visitor.act(
        "Continue from checkpoint: switch route",
        "Continue from checkpoint: switch route",
        says="Will run: switch route → check health → update status",
    )
    expect(page.locator("#task-header .badge")).to_have_text("completed")
    expect(failure).to_be_hidden()
    assert calls_of(sandbox.calls(before), tenant, "ob.get_tenant") == []
    assert sandbox.route(tenant) == "green"


def roll_it_back(visitor: Visitor, tenant: str, sandbox: Sandbox) -> None:
    page = visitor.page
    visitor.act("Roll back", "Roll back", says="Traffic and configuration go back to blue")
    expect(page.locator("#task-header .badge")).to_have_text("rolled back")
    expect(page.locator("#task-header .facts")).to_contain_text("is blue")
    assert (sandbox.route(tenant), sandbox.status(tenant)) == ("blue", "BLUE")
    assert set(sandbox.versions(tenant)) == {"21"}
    assert page.evaluate("window.stamp") == "the task too"


def test_a_viewer_is_told_why_not_and_cannot_force_it(
    browser: Browser, installation: Installation, api: Api
) -> None:
    body = {"name": "Not yours", "tenantIds": ["tenant-041"], "executorType": "BLUE_GREEN_SWITCH"}
    plan_id = api.post("/plans", body, status=201)["planId"]
    visitor = visit(browser, installation)
    page = visitor.page
    visitor.sign_in("viewer")
    page.goto(f"/plans/{plan_id}/")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_have_accessible_description(MAY_NOT)
    start.click()
    expect(page.get_by_role("alert")).to_have_text(MAY_NOT)
    expect(page.locator("#dialog")).to_be_hidden()
    pause = page.locator("#act-pause")
    expect(pause).to_be_disabled()
    expect(pause).to_have_accessible_description("The plan is created.")
    assert visitor.complaints == []

    token = next(each for each in page.context.cookies() if each["name"] == "csrftoken")["value"]
    for forged in ({"csrfmiddlewaretoken": token, "seen": "CREATED"}, {"seen": "CREATED"}):
        answer = page.request.post(f"/plans/{plan_id}/start/", form=forged)
        assert answer.status == 403
    assert api.get(f"/plans/{plan_id}")["state"] == "CREATED"


def test_without_scripts_an_operator_creates_starts_and_pauses(
    browser: Browser, installation: Installation, api: Api, sandbox: Sandbox
) -> None:
    sandbox.add_fault("*", "instance.apply", "hang")
    visitor = visit(browser, installation, scripts=False)
    page = visitor.page
    visitor.sign_in("operator")
    page.get_by_role("link", name="Plans").click()
    page.get_by_role("link", name="New plan").click()
    fill_in(page, "No scripts", ["tenant-051", "tenant-052"], "rest")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator("#preview")).to_contain_text("2 tenants move to green")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#plan-header .badge")).to_have_text("created")
    plan = f"/plans/{page.url.rstrip('/').rsplit('/', 1)[1]}"

    visitor.act("Start", "Start", says="2 tenants will be switched to green")
    expect(page.locator("#plan-header .badge")).to_have_text("running")
    wait_until(
        lambda: api.get(plan)["counts"]["RUNNING"] == 2, 60, lambda: f"both run: {api.get(plan)}"
    )
    visitor.act("Pause", "Pause", says="Reversible: resuming goes on where it stopped.")
    expect(page.locator("#plan-header .badge")).to_have_text("paused")
    assert api.get(plan)["state"] == "PAUSED"
    api.post(f"{plan}/cancel")
    assert visitor.complaints == []
