"""Gates and the global stop in a real browser: made, decided by a second person, followed live."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from playwright.sync_api import Browser, expect

from plans import registry_sync
from plans.models import Plan, PlanState, Task, Wave
from tests.live.browsing import SignIn, page_of
from tests.support.browser import settle
from tests.support.driving import work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def test_a_second_person_lets_the_next_wave_begin(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    registry_sync.sync_tenants()
    web = processes.web()
    owner = page_of(browser, sign_in("approver"), web)
    owner.goto("/plans/new/")
    owner.get_by_label("Name").fill("With a gate")
    owner.locator("#tenants").fill("tenant-001 tenant-002 tenant-003")
    owner.locator("[name=waves]").fill("1, rest")
    owner.locator("[name=soak]").fill("1h")
    owner.get_by_label("A second person approves between waves").check()
    expect(owner.locator(".planned-gate")).to_contain_text("soaks 1 h")
    owner.get_by_role("button", name="Create and start").click()
    expect(owner.locator("#plan-header")).to_have_attribute("data-state", "RUNNING")
    expect(owner.locator("#live-status")).to_have_attribute("data-state", "live")
    owner.evaluate("document.body.dataset.stamp = 'never reloaded'")
    work_off()

    gate = owner.locator("#plan-waves .gate")
    expect(gate).to_contain_text("Gate, closed")
    expect(gate.locator(".ago")).to_contain_text(re.compile(r"in 5\d min"))
    reasons = owner.locator("#plan-header .reasons")
    expect(reasons).to_contain_text("Wave 1 soaks before the next one begins")
    expect(reasons).to_contain_text("waits for approval by somebody else than approver-")
    owner.locator("#act-approve").click()
    expect(owner.locator("#dialog")).to_contain_text("You created or started this plan")
    owner.keyboard.press("Escape")

    second = page_of(browser, sign_in("approver"), web, java_script_enabled=False)
    second.goto("/")
    second.locator("#overview-needs").get_by_role("link", name="With a gate").click()
    second.locator("#act-approve").click()
    expect(second.locator("#confirm")).to_contain_text("Wave 2 begins: 2 more tenants go to green")
    second.locator("input[name=reason]").fill("the canary sings")
    second.get_by_role("button", name="Approve").click()
    expect(gate).to_contain_text("approved by approver-")
    expect(gate).to_contain_text("the canary sings")
    assert Task.objects.filter(state="PENDING").count() == 2

    Wave.objects.update(soak_until=F("soak_until") - timedelta(hours=2))
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    expect(owner.locator("#plan-header")).to_have_attribute("data-state", "COMPLETED")
    expect(gate).to_contain_text("Gate, open")
    assert owner.evaluate("document.body.dataset.stamp") == "never reloaded"


def test_everything_is_stopped_on_one_page_and_seen_on_another(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    registry_sync.sync_tenants()
    web = processes.web()
    watcher, forms = (page_of(browser, sign_in("viewer"), web) for _ in range(2))
    watcher.goto("/")
    forms.goto("/plans/new/")
    page = page_of(browser, sign_in("operator"), web)
    page.goto("/plans/")
    page.get_by_role("button", name="Stop all").click()
    settle(page)
    page.locator("#dialog input[name=reason]").fill("the gateway burns")
    page.locator("#dialog").get_by_role("button", name="Stop everything").click()
    for each in (page, watcher, forms):
        banner = each.locator("#stop-banner")
        expect(banner).to_contain_text("the gateway burns")
        expect(banner).to_contain_text("by operator-")
    expect(page.locator("#dialog")).to_be_hidden()
    settle(page)
    page.locator("#stop-banner").get_by_role("button", name="Lift the stop").click()
    settle(page)
    page.locator("#dialog").get_by_role("button", name="Lift the stop").click()
    for each in (page, watcher, forms):
        expect(each.locator("#stop-banner")).to_be_empty()


def test_a_notice_about_a_state_goes_when_the_state_has_moved_on(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    registry_sync.sync_tenants()
    web = processes.web()
    page = page_of(browser, sign_in("operator"), web)
    page.goto("/plans/new/")
    page.get_by_label("Name").fill("Short")
    page.locator("#tenants").fill("tenant-001")
    page.get_by_role("button", name="Create", exact=True).click()
    # Before its scripts have begun, a page follows the link instead of opening the dialog.
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    page.locator("#act-start").click()
    settle(page)
    page.locator("#dialog").get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("is now running")
    work_off()
    expect(page.locator("#plan-header")).to_have_attribute("data-state", "COMPLETED")
    expect(page.locator("#notices")).not_to_contain_text("is now running")
