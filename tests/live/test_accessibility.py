"""axe-core finds no violation on any page, in light and dark, wide and narrow (WCAG 2.2 AA)."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from plans import operations
from plans.engine import conductor, executor, lease
from plans.models import Task
from tests.live import browsing
from tests.live.browsing import SignIn, context_of
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # Not every element that is well.
}
SETTLED = """() => {
  const status = document.querySelector("#live-status");
  return !status || status.dataset.state === "live";
}"""
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > width && !each.closest(".scroll-x"))
    .map((each) => "it is too wide: " + each.outerHTML.slice(0, 150));
}"""
LOOKS: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 360)]


@pytest.fixture
def pages(sandbox: Sandbox) -> dict[str, str]:
    """A plan in which everything has happened, and the addresses of every kind of page."""
    ended = make_plan([f"tenant-{n:03}" for n in range(21, 25)])
    operations.start_plan(ended.pk, OPERATOR)
    work_off()
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    sandbox.add_fault("tenant-003", "ob.put_status", "status", code=400)
    sandbox.add_fault("tenant-004", "instance.config", "wrong_version", version="19")
    plan = make_plan(
        [f"tenant-{n:03}" for n in range(1, 13)],
        waves=[{"size": 6, "soak_seconds": 3600, "approval": True}, {"rest": True}],
        failure_policy="continue",
    )
    operations.start_plan(plan.pk, OPERATOR)
    for task_id in list(lease.runnable().values_list("pk", flat=True)):
        executor.run(task_id, WORKER)
    conductor.settle_active()
    failed, waiting, done = (
        Task.objects.get(tenant=tenant) for tenant in ("tenant-002", "tenant-004", "tenant-001")
    )
    return {
        "overview": "/",
        "plans": "/plans/",
        "no plan found": "/plans/?q=nothing",
        "new plan": "/plans/new/",
        "plan under way": f"/plans/{plan.pk}/",
        "plan filtered": f"/plans/{plan.pk}/?state=FAILED",
        "plan at its end": f"/plans/{ended.pk}/",
        "timeline of tasks": f"/plans/{plan.pk}/?view=timeline",
        "events": f"/plans/{plan.pk}/events/",
        "events filtered": f"/plans/{plan.pk}/events/?kind=failures&tenant=002",
        "decision about a group": f"/plans/{plan.pk}/tasks/retry/?scope=all&stage=switch_route",
        "replay": f"/plans/{plan.pk}/replay/",
        "failed task": f"/tasks/{failed.pk}/",
        "waiting task": f"/tasks/{waiting.pk}/",
        "finished task": f"/tasks/{done.pk}/",
        "system": "/system/",
        "confirmation": f"/plans/{plan.pk}/pause/",
        "retry of a task": f"/tasks/{failed.pk}/retry/",
        "global stop": "/stop/",
        "not found": "/plans/999999/",
    }


def faults(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"][:3]
    ]


def seen(page: Page) -> list[str]:
    """What is wrong with the page that is open, in each look."""
    found = []
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        wrong = faults(page) + page.evaluate(TOO_WIDE)
        found += [f"{theme}, {width} px: {each}" for each in wrong]
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)  # Twenty pages, each looked at twice by a thousand rules.
def test_no_page_has_a_violation(
    pages: dict[str, str], processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    web = processes.web()
    context = context_of(browser, None, web)
    page = context.new_page()
    page.goto("/")
    told = {"signing in": seen(page)}
    browsing.sign_in(context, sign_in("operator"), web)
    for title, address in pages.items():
        page.goto(address)
        page.wait_for_function(SETTLED)
        told[title] = seen(page)
    assert not any(told.values()), "\n".join(
        f"{title}: {each}" for title, found in told.items() for each in found
    )
