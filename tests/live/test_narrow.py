"""Pages on the smallest screens, with everything on them that grows."""

import pytest
from playwright.sync_api import Browser

from plans import operations
from plans.models import Plan, PlanState, Task
from tests.live.browsing import SignIn, page_of
from tests.live.test_accessibility import TOO_WIDE
from tests.support.driving import OPERATOR, make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def test_nothing_scrolls_sideways_at_320_px(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    processes.worker()
    processes.conductor()
    processes.manage("renewals")
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], name="A-name-without-any-space-" + 60 * "x")
    operations.start_plan(plan.pk, OPERATOR)
    wait_until(lambda: Plan.objects.get(pk=plan.pk).state == PlanState.FAILED)
    failed = Task.objects.get(tenant="tenant-002")
    web = processes.web()
    page = page_of(browser, sign_in("operator"), web, viewport={"width": 320, "height": 640})
    page.goto("/system/")
    for heading in ("Workers", "Leaders", "Renewal processes", "Last errors"):
        page.locator(f"[role=region][aria-label='{heading}'] tbody tr").first.wait_for()
    too_wide = {"/system/": page.evaluate(TOO_WIDE)}
    here = f"/plans/{plan.pk}/"
    for address in (
        "/",
        "/plans/",
        "/plans/new/",
        here,
        f"{here}replay/",
        f"{here}events/",
        f"/tasks/{failed.pk}/",
    ):
        page.goto(address)
        too_wide[address] = page.evaluate(TOO_WIDE)
    assert {address: found for address, found in too_wide.items() if found} == {}
