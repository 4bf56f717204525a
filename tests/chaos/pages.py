"""Pages of the dashboard that stay open in a real browser, whatever happens to the servers."""

import time
from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError

from tests.support.browser import BROWSER_MS

LIVE_MS = 30_000
EQUAL_SECONDS = 60.0
"""What changes without an event is rendered again every few seconds."""
STAMP = "never loaded again"

# Every element with its attributes and its own text, but for what a script keeps fresh by itself,
# and what belongs to one load of the page or to one reader.
READ = """() => {
  const volatile = "script, noscript, #live-status, .ago, [name=csrfmiddlewaretoken], #notices, "
    + ".print-only";
  const lines = [];
  const read = (element, depth) => {
    if (element.matches(volatile)) return;
    const names = [...element.attributes].filter(({ name, value }) =>
      !["data-cursor", "data-stamp", "tabindex", "style", "open"].includes(name)
      && !(name === "class" && !value));
    const said = names.map(({ name, value }) => name === "class"
      ? "class=" + value.split(/\\s+/).filter((c) => !c.startsWith("htmx-")).sort().join(" ")
      : `${name}=${value}`).sort().join(" ");
    const text = [...element.childNodes].filter((node) => node.nodeType === 3)
      .map((node) => node.data.trim()).join(" ").trim();
    lines.push(`${element.tagName.toLowerCase()} ${said} ${text}`.trim());
    for (const child of element.children) read(child, depth + 1);
  };
  read(document.querySelector("main"), 0);
  return lines;
}"""


@dataclass
class OpenPage:
    """One page that was opened once; `name` is its path."""

    name: str
    page: Page

    def differences(self) -> list[str]:
        """What differs from a fresh one, given some seconds in which both come to the end."""
        deadline = time.monotonic() + EQUAL_SECONDS
        while True:
            found = self._differences()
            if not found or time.monotonic() > deadline:
                return found
            self.page.wait_for_timeout(500)

    def _differences(self) -> list[str]:
        if self.page.evaluate("document.body.dataset.stamp") != STAMP:
            return ["it was loaded again"]
        fresh = self.page.context.new_page()
        try:
            fresh.goto(self.name)
            wait_until_live(fresh)
            wait_until_live(self.page)
            mine, its = self.page.evaluate(READ), fresh.evaluate(READ)
        except BrowserError as error:
            return [f"it cannot be compared: {error}"]
        finally:
            fresh.close()
        if mine == its:
            return []
        wrong = [f"shows {line!r}" for line in mine if line not in set(its)]
        wrong += [f"lacks {line!r}" for line in its if line not in set(mine)]
        return wrong or ["shows the same in another order"]


def open_pages(
    browser: Browser, url: str, cookie: tuple[str, str], paths: list[str]
) -> list[OpenPage]:
    """Open each of `paths` as who has the session `cookie` (its name and its value)."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(BROWSER_MS)
    context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
    found = []
    for path in paths:
        page = context.new_page()
        page.goto(path)
        wait_until_live(page)
        page.evaluate("(stamp) => { document.body.dataset.stamp = stamp; }", STAMP)
        found.append(OpenPage(path, page))
    return found


def wait_until_live(page: Page) -> None:
    with suppress(BrowserError):
        page.wait_for_selector("#live-status[data-state=live]", timeout=LIVE_MS)
