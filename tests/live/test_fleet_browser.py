"""The overview in a real browser while the OB service loses a tenant and finds it again."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from plans import registry_sync
from tests.live.browsing import page_of
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def test_a_cell_goes_with_its_tenant_and_comes_back_with_it(
    sandbox: Sandbox, processes: Processes, browser: Browser, viewer: Client
) -> None:
    registry_sync.sync_tenants()
    page = page_of(browser, viewer, processes.web())
    page.goto("/")
    expect(page.locator("#live-status")).to_have_attribute("data-state", "live")
    page.evaluate("document.body.dataset.stamp = 'never reloaded'")
    cells, total = page.locator("#wall .cell"), page.locator("#overview-counts .total .num")
    expect(cells).to_have_count(60)

    sandbox.reset(tenants=59)
    registry_sync.sync_tenants()
    expect(cells).to_have_count(59)
    expect(page.locator("#t-tenant-060")).to_have_count(0)
    expect(total).to_have_text("59")

    sandbox.reset()
    registry_sync.sync_tenants()
    expect(page.locator("#t-tenant-060")).to_have_class("cell b")
    expect(cells).to_have_count(60)
    expect(total).to_have_text("60")
    assert page.evaluate("document.body.dataset.stamp") == "never reloaded"
