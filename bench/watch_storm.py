"""Watch a storm in a real browser, on the overview.

`python -m bench.watch_storm PORT PLAN CHANGES PER_SECOND`; prints JSON.
"""

import json
import shutil
import subprocess
import sys
import time
from typing import Any

import django

django.setup()

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402

from bench.storm import rate  # noqa: E402
from bench.visit import signed_in  # noqa: E402
from bench.watch import BROWSERS  # noqa: E402

WAIT_MS = 60_000
LAST_MS = 10_000

# The moment is the next frame's: then the change is not only known but drawn.
WATCH = """() => {
  window.green = {};
  const wall = document.getElementById("wall");
  new MutationObserver((changes) => {
    const fresh = changes.map(({ target }) => target)
      .filter(({ id, className }) => className === "cell g" && !(id in window.green));
    for (const { id } of fresh) window.green[id] = 0;
    if (fresh.length) requestAnimationFrame(() => {
      for (const { id } of fresh) window.green[id] = Date.now();
    });
  }).observe(wall, { subtree: true, attributeFilter: ["class"] });
}"""


def watch(port: int, plan: str, changes: str, per_second: str) -> dict[str, Any]:
    """Open the overview, let the storm pass, say how late it was seen."""
    base = f"http://127.0.0.1:{port}"
    session = signed_in(base).cookies["sessionid"]
    program = next(filter(None, map(shutil.which, BROWSERS)))
    words = [sys.executable, "-m", "bench.storm", plan, changes, per_second]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(base_url=base)
        context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page = context.new_page()
        return _wall(browser, context, page, words)


def _wall(
    browser: Browser, context: BrowserContext, page: Page, words: list[str]
) -> dict[str, Any]:
    began = time.monotonic()
    page.goto("/")
    page.locator("#live-status[data-state=live]").wait_for(timeout=WAIT_MS)
    live = time.monotonic() - began
    timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    interactive = page.evaluate(timing)
    page.evaluate(WATCH)
    meter = context.new_cdp_session(page)
    meter.send("Performance.enable")
    busy, began = _busy_seconds(meter), time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    while process.poll() is None:
        page.wait_for_timeout(200)
    busy, took = _busy_seconds(meter) - busy, time.monotonic() - began
    stormed = _result(process)
    last = stormed["done"][-1]
    cell = f"t-{last['green'][-1]}"
    page.wait_for_function("id => window.green[id]", arg=cell, timeout=LAST_MS)
    return {
        "interactive_ms": interactive,
        "live_ms": live * 1000,
        "busy_percent": 100 * busy / took,
        "last_ms": page.evaluate("id => window.green[id]", cell) - last["at"],
        "per_second": rate(stormed["done"]),
    }


def _busy_seconds(meter: Any) -> float:
    metrics = meter.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _result(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.read().splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), *sys.argv[2:5])))
