"""The plan's page in a real browser: from the failures of a group to what became of each tenant."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Request, Route, expect

from plans import operations
from plans.models import Plan, Task, TaskState
from plans.stores import doorbell
from tests.live.browsing import page_of
from tests.support.browser import settle
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.processes import Processes, WebProcess
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

TENANTS = [f"tenant-{number:03}" for number in range(1, 57)]
REFUSED = TENANTS[1:4]


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """Of the first wave three tenants were refused by the gateway; 51 have not begun."""
    for tenant in REFUSED:
        sandbox.add_fault(tenant, "gateway.put_route", "status", code=400)
    plan = make_plan(
        TENANTS,
        waves=[{"size": 5, "approval": True}, {"rest": True}],
        failure_policy="continue",
        failure_budget=10,
    )
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    sandbox.clear_faults()
    return plan


def open_page(browser: Browser, client: Client, web: WebProcess, address: str) -> Page:
    page = page_of(browser, client, web)
    page.goto(address)
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    page.evaluate("document.body.dataset.stamp = 'never reloaded'")
    return page


def test_one_decision_for_a_group_of_failures_and_one_for_all_that_match(
    plan: Plan, processes: Processes, browser: Browser, sign_in: Callable[[str], Client]
) -> None:
    page = open_page(browser, sign_in("operator"), processes.web(), f"/plans/{plan.pk}/")
    group = page.locator("#plan-failures .groups > li")
    expect(group).to_contain_text("GATEWAY_REJECTED")
    group.get_by_role("link", name="Show them").click()
    rows = page.locator("#task-table tbody tr")
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile("code=GATEWAY_REJECTED"))

    # Somebody else retries one of the three while the confirmation stands open.
    group.get_by_role("button", name="Continue 3 from their checkpoint").click()
    asked = page.locator("#confirm")
    expect(asked).to_contain_text("3 tenants are tried again towards green")
    expect(asked).to_contain_text("switch route (3)")
    settle(page)
    taken = Task.objects.get(tenant=REFUSED[0])
    operations.roll_back_task(taken.pk, OPERATOR)
    asked.get_by_role("button", name="Continue · 3").click()
    results = page.locator("#results")
    expect(results.locator("h2")).to_have_text("Retry: 2 done, 1 skipped, 0 failed")
    expect(results).to_contain_text("has changed since you looked: it is now rolling back")
    work_off()
    results.get_by_role("link", name="To the plan").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(REFUSED[0])
    assert Task.objects.filter(tenant__in=REFUSED, state=TaskState.COMPLETED).count() == 2

    # The bar's legend filters, without a page being loaded.
    page.locator("#plan-progress .legend").get_by_role("link", name="pending").click()
    expect(page.locator("#task-table h2")).to_contain_text("51")
    expect(page.locator("#task-table input:checked:not([value=selected])")).to_have_count(0)
    table = page.locator("#task-table")
    settle(page)
    table.get_by_role("button", name="Cancel").click()
    expect(page.locator("#alerts")).to_contain_text("No task is selected")
    expect(table.get_by_text("50 on this page")).to_be_visible()
    table.get_by_text("all 51 that match").click()
    table.get_by_role("button", name="Cancel").click()
    expect(asked).to_contain_text("51 pending never begin.")
    settle(page)
    asked.get_by_role("button", name="Cancel · 51").click()
    expect(results.locator("h2")).to_have_text("Cancel: 51 done, 0 skipped, 0 failed")
    results.get_by_role("link", name="To the plan").click()
    expect(table).to_contain_text("No task matches.")
    assert page.evaluate("document.body.dataset.stamp") == "never reloaded"


def test_the_timeline_follows_live_and_the_log_is_downloaded(
    plan: Plan, processes: Processes, browser: Browser, sign_in: Callable[[str], Client]
) -> None:
    page = open_page(browser, sign_in("viewer"), processes.web(), f"/plans/{plan.pk}/")
    page.locator("#plan-timeline").get_by_role("link", name="Wave 1").click()
    lines = page.locator("#task-table .gantt-table tbody tr")
    expect(lines).to_have_count(5)
    failed = lines.filter(has_text=REFUSED[1])
    expect(failed.locator(".block.failed")).to_have_count(1)
    operations.retry_task(Task.objects.get(tenant=REFUSED[1]).pk, OPERATOR)
    work_off()
    expect(failed).to_contain_text("completed")
    expect(failed.locator(".moment.retry_started")).to_have_count(1)

    page.get_by_role("link", name="all, and download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines_of_file = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines_of_file[0].startswith("seq,at,kind,tenantId")
    assert len(lines_of_file) > plan.journal.last_seq


def test_a_confirmation_that_was_not_reached_leaves_no_doubt(
    plan: Plan, processes: Processes, sign_in: Callable[[str], Client], browser: Browser
) -> None:
    page = page_of(browser, sign_in("operator"), processes.web())
    page.goto(f"/plans/{plan.pk}/")
    page.context.set_offline(True)
    page.locator("#plan-header").get_by_role("button", name="Pause").click()
    expect(page.locator("#alerts")).to_contain_text("nothing was done")
    expect(page.locator("#alerts")).not_to_contain_text("not known")


def test_rows_of_the_filter_before_do_not_come_back(
    plan: Plan, processes: Processes, browser: Browser, sign_in: Callable[[str], Client]
) -> None:
    address = f"/plans/{plan.pk}/?code=GATEWAY_REJECTED"
    page = open_page(browser, sign_in("operator"), processes.web(), address)
    expect(page.locator("#task-table tbody tr")).to_have_count(3)

    # Something changes; while the page fetches its rows anew, its operator chooses other ones.
    held: list[Route] = []
    page.route(lambda url: "code=" in url, lambda route: held.append(route))
    with page.expect_request(lambda request: is_fetch_of("code=", request)):
        operations.cancel_task(Task.objects.get(tenant=TENANTS[-1]).pk, OPERATOR)
        doorbell.flush(5)
    page.locator("#plan-progress .legend").get_by_role("link", name="pending").click()
    expect(page.locator("#task-table h2")).to_contain_text("50")

    with page.expect_response(lambda answer: is_fetch_of("state=PENDING", answer.request)):
        held[0].continue_()
    expect(page.locator("#task-table h2")).to_contain_text("50")
    expect(page.locator("#task-table")).to_contain_text("tenant-006")


def is_fetch_of(query: str, request: Request) -> bool:
    """Whether the page itself asks for rows, not htmx for what was clicked."""
    return request.resource_type == "fetch" and query in request.url
