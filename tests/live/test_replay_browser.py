"""The replay in a real browser: the slider, the keys, and the same without scripts."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from plans.models import Event, Task
from tests.live.browsing import page_of
from tests.plans.switching import break_stage, switched_plan
from tests.support.driving import work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def test_the_slider_goes_through_the_past_by_mouse_and_by_keys(
    sandbox: Sandbox, processes: Processes, browser: Browser, viewer: Client
) -> None:
    break_stage(sandbox, "switch_route", "tenant-002")
    plan = switched_plan(3, failure_policy="continue")
    work_off()
    web = processes.web()
    page = page_of(browser, viewer, web)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"/plans/{plan.pk}/")
    page.get_by_role("link", name="Replay").click()
    mark = page.locator(".past-mark")
    last = Event.objects.filter(plan=plan).latest("seq").seq
    expect(mark).to_contain_text(f"event {last} of {last}")
    # What is shown is there before the scripts that hear the keys.
    page.wait_for_load_state()
    first, second = Task.objects.order_by("position")[:2]
    expect(page.locator(f"#cell-{first.pk}")).to_have_class("cell g completed")
    expect(page.locator(f"#cell-{second.pk}")).to_have_class("cell b mid failed")
    page.evaluate("document.body.dataset.stamp = 'never reloaded'")

    slider = page.locator("#replay-slider")
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    expect(mark).to_contain_text(f"event 7 of {last}")
    expect(page.locator(f"#cell-{second.pk}")).to_have_class("cell b pending")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(mark).to_contain_text(f"event 10 of {last}")
    expect(page).to_have_url(f"{web.url}/plans/{plan.pk}/replay/?at=10")
    slider.fill(str(last - 1))
    expect(mark).to_contain_text(f"event {last - 1} of {last}")
    expect(slider).to_be_focused()
    assert page.evaluate("document.body.dataset.stamp") == "never reloaded"

    page.get_by_role("link", name="Back to now").click()
    expect(page.locator("#plan-header")).to_be_visible()
    assert problems == []


def test_without_scripts_links_and_a_number_lead_through_the_past(
    sandbox: Sandbox, processes: Processes, browser: Browser, viewer: Client
) -> None:
    plan = switched_plan(1)
    work_off()
    page = page_of(browser, viewer, processes.web(), java_script_enabled=False)
    page.goto(f"/plans/{plan.pk}/replay/")
    mark = page.locator(".past-mark")
    last = Event.objects.filter(plan=plan).latest("seq").seq
    page.get_by_role("link", name="First").click()
    expect(mark).to_contain_text(f"event 3 of {last}")
    page.get_by_role("link", name="Next").click()
    expect(mark).to_contain_text(f"event 4 of {last}")
    page.get_by_role("link", name="Previous").click()
    expect(mark).to_contain_text(f"event 3 of {last}")
    page.get_by_label("Number of the event").fill("6")
    page.locator(".steps").get_by_role("button", name="Show").click()
    expect(mark).to_contain_text(f"event 6 of {last}")
    page.get_by_role("link", name="plan completed").click()
    expect(mark).to_contain_text("completed")
