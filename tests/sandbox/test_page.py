"""The page lists state and faults; its forms work as a browser without JavaScript sends them."""

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.browser import BROWSER_MS
from tests.support.sandbox import Sandbox


def test_the_page_shows_counts_and_tenants(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.change_tenant("tenant-001", route="green", name="<script>alert(1)</script>")
    answer = http.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<span class="green">1 green</span>' in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text


def test_a_fault_is_added_and_removed_by_form(sandbox: Sandbox, http: httpx.Client) -> None:
    empty = {"instance": "", "times": "3", "seconds": "", "code": "418", "retry_after": "1"}
    form = {"tenant": "tenant-001", "step": "ob.get_tenant", "kind": "status", **empty}
    answer = http.post("/faults", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#faults")
    (fault,) = sandbox.faults()
    assert (fault["code"], fault["times"], fault["retry_after"]) == (418, 3, "1")
    assert "status 418" in http.get("/").text
    http.post(f"/faults/{fault['id']}/remove")
    assert sandbox.faults() == []


def test_all_faults_are_removed_at_once(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.add_fault("*", "ob.list", "drop")
    sandbox.add_fault("*", "ob.get_tenant", "latency", seconds=0.5)
    assert "latency 0.5 s" in http.get("/").text
    http.post("/faults/clear")
    assert sandbox.faults() == []


def test_a_wrong_form_says_what_to_mend_and_adds_nothing(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    form = {"tenant": "*", "step": "ob.list", "kind": "latency", "seconds": "soon"}
    answer = http.post("/faults", data=form)
    assert answer.status_code == 400
    assert "seconds must be a number" in answer.text
    assert sandbox.faults() == []


@pytest.mark.browser
def test_the_page_fits_a_small_screen_and_asks_for_nothing_that_is_not_there(
    sandbox: Sandbox, browser: Browser
) -> None:
    sandbox.add_fault("*", "ob.list", "hang_after_headers", instance=1, times=3)
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.set_default_timeout(BROWSER_MS)
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if not answer.ok else None)
    page.goto(sandbox.url, wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("link[rel=icon]").count() == 1
    assert failed == []
