"""Pages on the smallest screens, with everything on them that grows."""

import pytest
from playwright.sync_api import Browser

from plans import operations
from plans.engine import executor, lease
from plans.models import Plan, PlanState, Task, TaskState
from tests.live.browsing import SignIn, page_of
from tests.live.test_accessibility import TOO_WIDE
from tests.support.driving import OPERATOR, WORKER, make_plan
from tests.support.processes import START_SECONDS, Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]
CUT_AWAY = """() => [...document.querySelectorAll("#task-table tbody :is(.badge, .note span)")]
  .filter((each) => {
    const own = each.getBoundingClientRect();
    const seen = each.closest(".scroll-x").getBoundingClientRect();
    const cell = each.closest("td");
    return own.right > seen.right || cell.scrollWidth > cell.clientWidth;
  })
  .map((each) => each.textContent)"""


def one_has_failed() -> bool:
    """Work on all that may be worked on; on a busy machine it waits for its instances first."""
    for task_id in list(lease.runnable().values_list("pk", flat=True)):
        executor.run(task_id, WORKER)
    return Task.objects.filter(state=TaskState.FAILED).exists()


def test_nothing_scrolls_sideways_at_320_px(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    processes.worker()
    processes.conductor()
    processes.manage("renewals")
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], name="A-name-without-any-space-" + 60 * "x")
    operations.start_plan(plan.pk, OPERATOR)
    wait_until(lambda: Plan.objects.get(pk=plan.pk).state == PlanState.FAILED, START_SECONDS)
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


def test_why_a_tenant_waits_or_failed_is_read_without_scrolling_sideways(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    sandbox.add_fault("tenant-003", "instance.config", "wrong_version", version="19")
    plan = make_plan([f"tenant-{n:03}" for n in range(1, 7)], failure_policy="continue")
    operations.start_plan(plan.pk, OPERATOR)
    wait_until(one_has_failed)
    web, client, cut_away = processes.web(), sign_in("operator"), {}
    for width in (360, 1101, 1280):
        page = page_of(browser, client, web, viewport={"width": width, "height": 900})
        page.goto(f"/plans/{plan.pk}/")
        notes = page.locator("#task-table .note span").all_text_contents()
        assert any("400" in note for note in notes), notes
        assert len(notes) >= 2
        cut_away[width] = page.evaluate(CUT_AWAY)
    assert not any(cut_away.values()), cut_away
