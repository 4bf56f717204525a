"""Watch a plan run in a real browser: `python -m bench.watch PORT PLAN SOCKETS`; prints JSON.

The plan is started once the page is live. `page_ms`: for every tenant that completed, the time
from just before the commit of its last stage to the frame in which its cell is changed.
`socket_ms`: the same up to the message, over `SOCKETS` more sockets of the same page.
"""

import json
import os
import shutil
import sys

import django

django.setup()

from playwright.sync_api import sync_playwright  # noqa: E402

from bench.visit import signed_in  # noqa: E402
from plans import operations  # noqa: E402
from plans.actor import SYSTEM  # noqa: E402
from plans.models import Event, EventKind, Plan, PlanState  # noqa: E402

POLL_MS = 200
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# The moment is the next frame's: then the change is not only known but drawn.
WATCH_CELLS = """() => {
  window.drawn = {};
  new MutationObserver(() => {
    const changed = [...document.querySelectorAll("#wall .cell.completed")];
    const fresh = changed.filter(({ id }) => !(id in window.drawn));
    for (const { id } of fresh) window.drawn[id] = 0;
    if (fresh.length) requestAnimationFrame(() => {
      for (const { id } of fresh) window.drawn[id] = Date.now();
    });
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["class"],
  });
}"""

OPEN_SOCKETS = """async (count) => {
  window.heard = [];
  const { live, cursor } = document.body.dataset;
  await Promise.all([...Array(count)].map(() => new Promise((opened) => {
    const seen = {};
    window.heard.push(seen);
    const origin = location.origin.replace("http", "ws");
    const socket = new WebSocket(`${origin}${live}?cursor=${cursor}`);
    socket.onopen = opened;
    socket.onmessage = ({ data }) => {
      for (const [id, classes] of JSON.parse(data).cells ?? []) {
        if (classes.includes("completed")) seen[id] ??= Date.now();
      }
      socket.send('{"seen":true}');
    };
  })));
}"""


def watch(port: int, plan_id: int, sockets: int) -> dict[str, object]:
    """Start the plan, watch it to its end."""
    base = f"http://127.0.0.1:{port}"
    session = signed_in(base).cookies["sessionid"]
    program = next(filter(None, map(shutil.which, BROWSERS)))
    # Playwright has a loop in this thread; what is done here is not asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(base_url=base)
        context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page = context.new_page()
        page.goto(f"/plans/{plan_id}/")
        page.locator("#live-status[data-state=live]").wait_for()
        page.evaluate(WATCH_CELLS)
        page.evaluate(OPEN_SOCKETS, sockets)
        operations.start_plan(plan_id, SYSTEM)
        while Plan.objects.values_list("state", flat=True).get(pk=plan_id) == PlanState.RUNNING:
            page.wait_for_timeout(POLL_MS)
        completed = Event.objects.filter(plan=plan_id, kind=EventKind.TASK_COMPLETED)
        times = completed.values_list("task_id", "at")
        commits = {f"cell-{task}": at.timestamp() * 1000 for task, at in times}
        page.wait_for_function(
            "count => Object.values(window.drawn).filter(Boolean).length >= count",
            arg=len(commits),
        )
        drawn: dict[str, float] = page.evaluate("window.drawn")
        heard: list[dict[str, float]] = page.evaluate("window.heard")
        browser.close()
    moments = sorted(commits.values())
    return {
        "seconds": (moments[-1] - moments[0]) / 1000,
        "page_ms": [drawn[cell] - at for cell, at in commits.items()],
        "socket_ms": [seen[cell] - at for seen in heard for cell, at in commits.items()],
    }


if __name__ == "__main__":
    print(json.dumps(watch(*map(int, sys.argv[1:4]))))
