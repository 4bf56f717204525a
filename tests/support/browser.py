"""The browser of tests: how it is started, and when one of its pages has come to rest."""

from playwright.sync_api import Browser, Page, Playwright, expect

BROWSER_MS = 120_000
"""For a browser's start, and for each thing that it waits for: generous, as `WAIT_SECONDS`."""
expect.set_options(timeout=BROWSER_MS)


def launch(playwright: Playwright, program: str) -> Browser:
    """A headless Chromium, whose file is `program`."""
    return playwright.chromium.launch(
        executable_path=program, args=["--no-sandbox"], timeout=BROWSER_MS
    )


def settle(page: Page) -> None:
    """Wait until htmx knows what it has put in: until then a click there loads another page."""
    expect(page.locator(".htmx-added, .htmx-request")).to_have_count(0)
