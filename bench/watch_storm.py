"""Watch a storm: `python -m bench.watch_storm PORT PLAN CHANGES PER_SECOND SOCKETS`; prints JSON.

Without sockets a real browser shows the overview; with sockets they all watch the plan.
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

# A message begins with its cursor: what else it says need not be read.
OPEN = """async ([path, cursor, shown, count]) => {
  window.heard = [];
  await Promise.all([...Array(count)].map(() => new Promise((opened) => {
    const heard = [];
    window.heard.push(heard);
    const origin = location.origin.replace("http", "ws");
    const socket = new WebSocket(`${origin}${path}?cursor=${cursor}`);
    socket.onopen = () => socket.send(JSON.stringify({ shown }));
    socket.onmessage = ({ data }) => {
      heard.push([Date.now(), Number(data.slice(0, 40).match(/"cursor":"(\\d+)"/)[1])]);
      socket.send('{"seen":true}');
      opened();
    };
  })));
}"""


def watch(port: int, plan: str, changes: str, per_second: str, sockets: int) -> dict[str, Any]:
    """Open what watches, let the storm pass, say how late it was seen."""
    base = f"http://127.0.0.1:{port}"
    session = signed_in(base).cookies["sessionid"]
    program = next(filter(None, map(shutil.which, BROWSERS)))
    words = [sys.executable, "-m", "bench.storm", plan, changes, per_second]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(base_url=base)
        context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page = context.new_page()
        if sockets:
            return _sockets(page, plan, words, sockets)
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
        "per_second": _rate(stormed),
    }


def _sockets(page: Page, plan: str, words: list[str], count: int) -> dict[str, Any]:
    page.goto(f"/plans/{plan}/")
    cursor = page.evaluate("document.body.dataset.cursor")
    shown = page.evaluate("[...document.querySelectorAll('tr[id]')].map(({ id }) => id)")
    # A page without a socket of its own, which need not show anything.
    page.goto("/plans/new/")
    page.evaluate(OPEN, [f"/ws/plans/{plan}/", cursor, shown, count])
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    while process.poll() is None:
        page.wait_for_timeout(200)
    stormed = _result(process)
    last = stormed["done"][-1]["seq"]
    page.wait_for_function(
        "seq => window.heard.every((heard) => heard.at(-1)[1] >= seq)", arg=last, timeout=LAST_MS
    )
    heard: list[list[list[float]]] = page.evaluate("window.heard")
    lags = [_worst(each, stormed["done"]) for each in heard]
    return {
        "socket_ms": max(lags),
        "messages": min(map(len, heard)),
        "per_second": _rate(stormed),
    }


def _worst(heard: list[list[float]], done: list[dict[str, Any]]) -> float:
    """From each commit to the first message that covers it; the worst, in ms."""
    worst, place = 0.0, 0
    for each in done:
        while heard[place][1] < each["seq"]:
            place += 1
        worst = max(worst, heard[place][0] - each["at"])
    return worst


def _busy_seconds(meter: Any) -> float:
    metrics = meter.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _result(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.read().splitlines()[-1])
    return found


def _rate(stormed: dict[str, Any]) -> float:
    first, last = stormed["done"][0]["at"], stormed["done"][-1]["at"]
    return 20 * (len(stormed["done"]) - 1) / (last - first) * 1000


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), *sys.argv[2:5], int(sys.argv[5]))))
