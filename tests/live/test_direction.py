"""Names that are written from right to left stand among our words and turn none of them around."""

import pytest
from playwright.sync_api import Browser

from plans.models import Tenant
from tests.live.browsing import SignIn, page_of
from tests.support.driving import make_plan
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]
NAME = "\u05d0\u05d1\u05d2\u05d3\u05d4"
BOXES = """(parts) => parts.map((part) => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(part);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + part.length);
    return range.getBoundingClientRect().left;
  }
})"""


def test_a_number_after_such_a_name_stays_behind_it(
    sandbox: Sandbox, processes: Processes, browser: Browser, sign_in: SignIn
) -> None:
    plan = make_plan(["tenant-001"], name=NAME)
    Tenant.objects.update(name=NAME)
    page = page_of(
        browser, sign_in("operator"), processes.web(), viewport={"width": 1280, "height": 900}
    )
    found = {}
    for address in (
        f"/plans/{plan.pk}/",
        "/plans/",
        f"/plans/{plan.pk}/events/",
        f"/plans/{plan.pk}/replay/",
    ):
        page.goto(address)
        found[address] = page.evaluate(BOXES, [NAME, f"#{plan.pk}"])
    assert all(name < number for name, number in found.values()), found
