"""A real page in a real browser, whose server goes away and comes back while tenants change."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from plans import operations
from plans.engine import conductor, executor, lease
from plans.models import Task
from plans.stores import doorbell
from tests.live.browsing import context_of
from tests.plans.switching import QUICK
from tests.support.browser import BROWSER_MS
from tests.support.driving import OPERATOR, WORKER, make_plan, work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

# Every element with an id, as text in which only what people can notice counts.
SHOWN = r"""() => {
  const page = document.documentElement.cloneNode(true);
  for (const each of page.querySelectorAll(".ago, [name=csrfmiddlewaretoken]")) each.remove();
  for (const each of page.querySelectorAll("main *")) {
    const attributes = [...each.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name } of attributes) each.removeAttribute(name);
    for (const { name, value } of attributes) each.setAttribute(name, value);
  }
  const text = (part) => part.outerHTML.replace(/>\s+</g, "><");
  return Object.fromEntries([...page.querySelectorAll("main [id]")].map((p) => [p.id, text(p)]));
}"""

COUNT_SOCKETS = """
window.socketsOpened = 0;
window.WebSocket = class extends WebSocket {
  constructor(...options) { super(...options); window.socketsOpened += 1; }
};
"""


def work_on(tasks: int) -> None:
    """Run so many of the tasks that may be run."""
    for task_id in list(lease.runnable().order_by("pk").values_list("pk", flat=True))[:tasks]:
        executor.run(task_id, WORKER)
    conductor.settle_active()
    doorbell.flush(5)


def wait_until_equal(page: Page, address: str) -> None:
    """Wait until `page` shows what a freshly loaded one shows."""

    def differences() -> list[str]:
        fresh = page.context.new_page()
        fresh.goto(address)
        wanted = fresh.evaluate(SHOWN)
        fresh.close()
        shown = page.evaluate(SHOWN)
        return [
            describe_difference(key, shown.get(key, ""), wanted.get(key, ""))
            for key in {*shown, *wanted}
            if shown.get(key) != wanted.get(key)
        ]

    wait_until(lambda: not differences(), BROWSER_MS / 1000, lambda: "\n".join(differences()))


def describe_difference(key: str, shown: str, wanted: str) -> str:
    """Where the two begin to differ."""
    at = next((n for n, pair in enumerate(zip(shown, wanted, strict=False)) if len({*pair}) > 1), 0)
    before = max(0, at - 60)
    return f"#{key}: {shown[before : at + 90]!r} should be {wanted[before : at + 90]!r}"


def test_a_page_whose_server_was_away_ends_like_a_fresh_one(
    sandbox: Sandbox, processes: Processes, browser: Browser, viewer: Client
) -> None:
    sandbox.add_fault("tenant-003", "gateway.put_route", "status", code=400)
    plan = make_plan(
        [f"tenant-{n:03}" for n in range(1, 9)],
        waves=[{"size": 2}, {"rest": True}],
        failure_policy="continue",
        parameters=QUICK,
    )
    web = processes.web()
    page = context_of(browser, viewer, web).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    address = f"/plans/{plan.pk}/"
    page.goto(address)
    status = page.locator("#live-status")
    expect(status).to_have_attribute("data-state", "live")

    page.evaluate("document.body.dataset.stamp = 'never reloaded'")
    first, second = Task.objects.order_by("position")[:2]
    page.locator(f"#task-{second.pk} input[type=checkbox]").check()
    operations.start_plan(plan.pk, OPERATOR)
    work_on(1)
    expect(page.locator(f"#cell-{first.pk}")).to_have_class("cell g completed")

    web.kill()
    expect(status).to_have_attribute("data-state", "reconnecting")
    work_on(3)
    work_on(3)
    web = processes.web(port=web.port)
    expect(status).to_have_attribute("data-state", "live")
    work_on(2)
    web.stop()
    work_off()
    sandbox.clear_faults()
    operations.retry_task(Task.objects.get(tenant="tenant-003").pk, OPERATOR)
    work_off()
    processes.web(port=web.port)

    expect(status).to_have_attribute("data-state", "live")
    wait_until_equal(page, address)
    assert page.evaluate("document.body.dataset.stamp") == "never reloaded"
    expect(page.locator(f"#task-{second.pk} input[type=checkbox]")).to_be_checked()
    assert problems == []


@pytest.mark.parametrize("kind", ["overview", "plans", "task"])
def test_every_kind_of_page_follows(
    sandbox: Sandbox, processes: Processes, browser: Browser, viewer: Client, kind: str
) -> None:
    plan = make_plan(["tenant-001", "tenant-002"])
    task = Task.objects.order_by("position")[0]
    address = {"overview": "/", "plans": "/plans/", "task": f"/tasks/{task.pk}/"}[kind]
    web = processes.web()
    page = context_of(browser, viewer, web).new_page()
    page.goto(address)
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    make_plan(["tenant-003"], name="Made meanwhile")
    doorbell.flush(5)
    wait_until_equal(page, address)


def test_a_page_whose_viewer_was_signed_out_says_so_and_does_not_come_back(
    processes: Processes, browser: Browser, viewer: Client
) -> None:
    web = processes.web()
    page = context_of(browser, viewer, web).new_page()
    page.add_init_script(COUNT_SOCKETS)
    page.goto("/plans/")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    web.kill()
    # Not before: a server that is there looks now and then, and would say so on the first socket.
    viewer.logout()
    processes.web(port=web.port)
    expect(page.locator("#live-status")).to_have_attribute("data-state", "refused")
    opened = page.evaluate("window.socketsOpened")
    assert opened > 1
    page.evaluate("window.dispatchEvent(new Event('online'))")
    assert page.evaluate("window.socketsOpened") == opened
